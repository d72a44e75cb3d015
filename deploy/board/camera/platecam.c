// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * A camera for tests whose exposure and gain can be set, which vivid lacks. It shows
 * one picture of 640 by 480 (YUYV, from the firmware file platecam.yuyv), or an empty
 * road while the parameter vehicle is 0, darker or
 * brighter as its controls say: with an exposure of 0.5 ms and no gain as it is in
 * the file. The controls have the names and units of a UVC camera. With automatic
 * exposure the picture is twice as bright, as of a camera that exposes for a
 * dark road and not for the plate.
 */
#include <linux/firmware.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/vmalloc.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>

#define NAME "platecam"
#define WIDTH 640
#define HEIGHT 480
#define SIZE (WIDTH * HEIGHT * 2)
#define FPS 10
#define NEUTRAL 5 /* exposure in units of 100 us */
#define ROAD 60 /* luma of an empty road */

static bool vehicle = true;
module_param(vehicle, bool, 0644);

struct buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head list;
};

static struct {
	struct platform_device *parent;
	struct v4l2_device v4l2;
	struct video_device video;
	struct v4l2_ctrl_handler controls;
	struct v4l2_ctrl *automatic, *exposure, *gain;
	struct vb2_queue queue;
	struct mutex lock;
	spinlock_t waiting_lock;
	struct list_head waiting;
	struct task_struct *painter;
	unsigned int sequence;
	u8 *picture;
} cam;

static void paint(u8 *to)
{
	/* 256 is as in the file. */
	u32 light = 512, i;

	if (cam.automatic->cur.val == V4L2_EXPOSURE_MANUAL)
		light = 256 * cam.exposure->cur.val / NEUTRAL;
	light = light * (16 + cam.gain->cur.val) / 16;
	for (i = 0; i < SIZE; i += 2) {
		u32 y = cam.picture[i] > 16 ? cam.picture[i] - 16 : 0;

		if (!vehicle)
			y = ROAD - 16;
		to[i] = 16 + min_t(u32, y * light / 256, 219);
		to[i + 1] = vehicle ? cam.picture[i + 1] : 128;
	}
}

static int work(void *unused)
{
	while (!kthread_should_stop()) {
		struct buffer *b = NULL;
		unsigned long flags;

		spin_lock_irqsave(&cam.waiting_lock, flags);
		if (!list_empty(&cam.waiting)) {
			b = list_first_entry(&cam.waiting, struct buffer, list);
			list_del(&b->list);
		}
		spin_unlock_irqrestore(&cam.waiting_lock, flags);
		if (b) {
			paint(vb2_plane_vaddr(&b->vb.vb2_buf, 0));
			vb2_set_plane_payload(&b->vb.vb2_buf, 0, SIZE);
			b->vb.field = V4L2_FIELD_NONE;
			b->vb.sequence = cam.sequence++;
			b->vb.vb2_buf.timestamp = ktime_get_ns();
			vb2_buffer_done(&b->vb.vb2_buf, VB2_BUF_STATE_DONE);
		}
		schedule_timeout_interruptible(HZ / FPS);
	}
	return 0;
}

static void give_back(enum vb2_buffer_state state)
{
	struct buffer *b, *next;
	unsigned long flags;

	spin_lock_irqsave(&cam.waiting_lock, flags);
	list_for_each_entry_safe(b, next, &cam.waiting, list) {
		list_del(&b->list);
		vb2_buffer_done(&b->vb.vb2_buf, state);
	}
	spin_unlock_irqrestore(&cam.waiting_lock, flags);
}

static int queue_setup(struct vb2_queue *q, unsigned int *buffers, unsigned int *planes, unsigned int sizes[],
		       struct device *devices[])
{
	if (*planes)
		return sizes[0] < SIZE ? -EINVAL : 0;
	*planes = 1;
	sizes[0] = SIZE;
	return 0;
}

static int buf_prepare(struct vb2_buffer *vb)
{
	return vb2_plane_size(vb, 0) < SIZE ? -EINVAL : 0;
}

static void buf_queue(struct vb2_buffer *vb)
{
	struct buffer *b = container_of(to_vb2_v4l2_buffer(vb), struct buffer, vb);
	unsigned long flags;

	spin_lock_irqsave(&cam.waiting_lock, flags);
	list_add_tail(&b->list, &cam.waiting);
	spin_unlock_irqrestore(&cam.waiting_lock, flags);
}

static int start_streaming(struct vb2_queue *q, unsigned int count)
{
	struct task_struct *t = kthread_run(work, NULL, NAME);

	if (IS_ERR(t)) {
		give_back(VB2_BUF_STATE_QUEUED);
		return PTR_ERR(t);
	}
	cam.painter = t;
	return 0;
}

static void stop_streaming(struct vb2_queue *q)
{
	kthread_stop(cam.painter);
	give_back(VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_prepare = buf_prepare,
	.buf_queue = buf_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int querycap(struct file *file, void *fh, struct v4l2_capability *cap)
{
	strscpy(cap->driver, NAME, sizeof(cap->driver));
	strscpy(cap->card, NAME, sizeof(cap->card));
	strscpy(cap->bus_info, "platform:" NAME, sizeof(cap->bus_info));
	return 0;
}

static int enum_fmt(struct file *file, void *fh, struct v4l2_fmtdesc *f)
{
	if (f->index)
		return -EINVAL;
	f->pixelformat = V4L2_PIX_FMT_YUYV;
	return 0;
}

static int fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	f->fmt.pix = (struct v4l2_pix_format){
		.width = WIDTH, .height = HEIGHT, .pixelformat = V4L2_PIX_FMT_YUYV, .field = V4L2_FIELD_NONE,
		.bytesperline = 2 * WIDTH, .sizeimage = SIZE, .colorspace = V4L2_COLORSPACE_SRGB,
	};
	return 0;
}

static int enum_input(struct file *file, void *fh, struct v4l2_input *i)
{
	if (i->index)
		return -EINVAL;
	i->type = V4L2_INPUT_TYPE_CAMERA;
	strscpy(i->name, NAME, sizeof(i->name));
	return 0;
}

static int g_input(struct file *file, void *fh, unsigned int *i)
{
	*i = 0;
	return 0;
}

static int s_input(struct file *file, void *fh, unsigned int i)
{
	return i ? -EINVAL : 0;
}

static int parm(struct file *file, void *fh, struct v4l2_streamparm *p)
{
	p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
	p->parm.capture.timeperframe = (struct v4l2_fract){ 1, FPS };
	p->parm.capture.readbuffers = 2;
	return 0;
}

static const struct v4l2_ioctl_ops ioctls = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = enum_fmt,
	.vidioc_g_fmt_vid_cap = fmt,
	.vidioc_s_fmt_vid_cap = fmt,
	.vidioc_try_fmt_vid_cap = fmt,
	.vidioc_enum_input = enum_input,
	.vidioc_g_input = g_input,
	.vidioc_s_input = s_input,
	.vidioc_g_parm = parm,
	.vidioc_s_parm = parm,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
	.vidioc_subscribe_event = v4l2_ctrl_subscribe_event,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static const struct v4l2_file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.unlocked_ioctl = video_ioctl2,
	.mmap = vb2_fop_mmap,
	.poll = vb2_fop_poll,
	.read = vb2_fop_read,
};

static int load_picture(void)
{
	const struct firmware *fw;
	int err = request_firmware(&fw, NAME ".yuyv", &cam.parent->dev);

	if (err)
		return err;
	cam.picture = fw->size == SIZE ? vmalloc(SIZE) : NULL;
	if (cam.picture)
		memcpy(cam.picture, fw->data, SIZE);
	release_firmware(fw);
	return cam.picture ? 0 : -EINVAL;
}

static int make_controls(void)
{
	struct v4l2_ctrl_handler *h = &cam.controls;

	v4l2_ctrl_handler_init(h, 3);
	cam.automatic = v4l2_ctrl_new_std_menu(h, NULL, V4L2_CID_EXPOSURE_AUTO, V4L2_EXPOSURE_APERTURE_PRIORITY,
					       ~(BIT(V4L2_EXPOSURE_MANUAL) | BIT(V4L2_EXPOSURE_APERTURE_PRIORITY)),
					       V4L2_EXPOSURE_APERTURE_PRIORITY);
	cam.exposure = v4l2_ctrl_new_std(h, NULL, V4L2_CID_EXPOSURE_ABSOLUTE, 1, 1000, 1, NEUTRAL);
	cam.gain = v4l2_ctrl_new_std(h, NULL, V4L2_CID_GAIN, 0, 64, 1, 0);
	cam.v4l2.ctrl_handler = h;
	return h->error;
}

static int make_queue(void)
{
	struct vb2_queue *q = &cam.queue;

	q->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q->io_modes = VB2_MMAP | VB2_READ;
	q->buf_struct_size = sizeof(struct buffer);
	q->ops = &queue_ops;
	q->mem_ops = &vb2_vmalloc_memops;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->lock = &cam.lock;
	return vb2_queue_init(q);
}

static int make_device(void)
{
	struct video_device *v = &cam.video;

	strscpy(v->name, NAME, sizeof(v->name));
	v->fops = &file_ops;
	v->ioctl_ops = &ioctls;
	v->release = video_device_release_empty;
	v->v4l2_dev = &cam.v4l2;
	v->queue = &cam.queue;
	v->lock = &cam.lock;
	v->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_READWRITE;
	return video_register_device(v, VFL_TYPE_VIDEO, -1);
}

static int __init platecam_init(void)
{
	int err;

	mutex_init(&cam.lock);
	spin_lock_init(&cam.waiting_lock);
	INIT_LIST_HEAD(&cam.waiting);
	cam.parent = platform_device_register_simple(NAME, -1, NULL, 0);
	if (IS_ERR(cam.parent))
		return PTR_ERR(cam.parent);
	/* The device has no driver that V4L2 could name it after. */
	strscpy(cam.v4l2.name, NAME, sizeof(cam.v4l2.name));
	err = load_picture();
	if (!err)
		err = v4l2_device_register(&cam.parent->dev, &cam.v4l2);
	if (err)
		goto parent;
	err = make_controls();
	if (!err)
		err = make_queue();
	if (!err)
		err = make_device();
	if (!err)
		return 0;
	v4l2_ctrl_handler_free(&cam.controls);
	v4l2_device_unregister(&cam.v4l2);
parent:
	platform_device_unregister(cam.parent);
	vfree(cam.picture);
	return err;
}

static void __exit platecam_exit(void)
{
	video_unregister_device(&cam.video);
	v4l2_ctrl_handler_free(&cam.controls);
	v4l2_device_unregister(&cam.v4l2);
	platform_device_unregister(cam.parent);
	vfree(cam.picture);
}

module_init(platecam_init);
module_exit(platecam_exit);
MODULE_DESCRIPTION("Test camera with exposure and gain");
MODULE_LICENSE("GPL");
