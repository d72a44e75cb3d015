package device

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"platewatch/capture/fault"
)

// Requests of linux/videodev2.h (read-write, by size of the struct, of type 'V'):
// the same on amd64, arm and arm64.
const (
	vidiocQueryCtrl = 0xc0445624
	vidiocGetCtrl   = 0xc008561b
	vidiocSetCtrl   = 0xc008561c
	vidiocQueryCap  = 0x80685600
	vidiocEnumFmt   = 0xc0405602

	ctrlDisabled = 0x0001
)

// v4l2QueryCtrl is struct v4l2_queryctrl.
type v4l2QueryCtrl struct {
	id, kind                 uint32
	name                     [32]byte
	min, max, step, standard int32
	flags                    uint32
	_                        [2]uint32
}

// v4l2Control is struct v4l2_control.
type v4l2Control struct {
	id    uint32
	value int32
}

// v4l2Controls are a device's controls, over a descriptor of their own: V4L2
// lets any number of programs set them beside the one that streams.
type v4l2Controls struct{ f *os.File }

func openControls(path string) (controller, error) { return openDevice(path) }

func openDevice(path string) (*v4l2Controls, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fault.Pathless(err)
	}
	return &v4l2Controls{f}, nil
}

func (c *v4l2Controls) Close() error { return c.f.Close() }

func (c *v4l2Controls) call(request uintptr, arg unsafe.Pointer) error {
	raw, err := c.f.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	if err := raw.Control(func(fd uintptr) {
		for {
			if _, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg)); errno != unix.EINTR {
				return
			}
		}
	}); err != nil {
		return err
	}
	switch {
	case errno == 0:
		return nil
	case errors.Is(errno, unix.EINVAL), errors.Is(errno, unix.ENOTTY):
		return errNoControl
	}
	return errno
}

func (c *v4l2Controls) query(id uint32) (controlRange, error) {
	q := v4l2QueryCtrl{id: id}
	if err := c.call(vidiocQueryCtrl, unsafe.Pointer(&q)); err != nil {
		return controlRange{}, err
	}
	if q.flags&ctrlDisabled != 0 {
		return controlRange{}, errNoControl
	}
	return controlRange{int(q.min), int(q.max), int(q.step), int(q.standard)}, nil
}

func (c *v4l2Controls) get(id uint32) (int, error) {
	v := v4l2Control{id: id}
	err := c.call(vidiocGetCtrl, unsafe.Pointer(&v))
	return int(v.value), err
}

func (c *v4l2Controls) set(id uint32, value int) error {
	v := v4l2Control{id: id, value: int32(value)}
	return c.call(vidiocSetCtrl, unsafe.Pointer(&v))
}

// Requests whose struct holds pointers: their size is in the number.
const (
	vidiocGetFmt = 0xc0005604 | unsafe.Sizeof(v4l2Format{})<<16
	vidiocSetFmt = 0xc0005605 | unsafe.Sizeof(v4l2Format{})<<16

	bufCapture    = 1
	capDeviceCaps = 0x80000000
	maxFormats    = 64
)

// v4l2Format is struct v4l2_format of a captured picture.
type v4l2Format struct {
	kind          uint32
	_             [unsafe.Sizeof(uintptr(0)) - 4]byte
	width, height uint32
	pixels        uint32 // four letters, the first one lowest
	_             [188]byte
}

// capabilities implements [prober].
func (c *v4l2Controls) capabilities() (uint32, error) {
	var q struct {
		_                        [80]byte // driver, card, bus
		version, whole, ofDevice uint32
		_                        [3]uint32
	}
	if err := c.call(vidiocQueryCap, unsafe.Pointer(&q)); err != nil {
		return 0, err
	}
	if q.whole&capDeviceCaps != 0 {
		return q.ofDevice, nil
	}
	return q.whole, nil
}

// claim implements [prober]: it sets the format that the device has.
func (c *v4l2Controls) claim() error {
	f := v4l2Format{kind: bufCapture}
	if err := c.call(vidiocGetFmt, unsafe.Pointer(&f)); err != nil {
		return err
	}
	return c.call(vidiocSetFmt, unsafe.Pointer(&f))
}

// formats implements [prober].
func (c *v4l2Controls) formats() (all []string) {
	for i := range uint32(maxFormats) {
		f := struct {
			index, kind, flags uint32
			_                  [32]byte
			pixels             uint32
			_                  [4]uint32
		}{index: i, kind: bufCapture}
		if c.call(vidiocEnumFmt, unsafe.Pointer(&f)) != nil {
			break
		}
		all = append(all, letters(f.pixels))
	}
	return all
}

// format implements [controller].
func (c *v4l2Controls) format() (string, error) {
	f := v4l2Format{kind: bufCapture}
	err := c.call(vidiocGetFmt, unsafe.Pointer(&f))
	return letters(f.pixels), err
}

func letters(v uint32) string {
	return string([]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)})
}
