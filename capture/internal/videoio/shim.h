#ifndef PLATEWATCH_VIDEOIO_SHIM_H
#define PLATEWATCH_VIDEOIO_SHIM_H

#ifdef __cplusplus
extern "C" {
#endif

/* Statuses of the calls below. */
enum {
  PW_FAILED = -1, /* an exception was caught: pw_videoio_error says which */
  PW_NO = 0,      /* the library said no: not opened, no frame */
  PW_YES = 1,
};

/* One cv::VideoCapture and the text of its last exception. Not thread-safe. */
typedef struct pw_videoio pw_videoio;

pw_videoio *pw_videoio_new(void); /* NULL without memory */
int pw_videoio_open(pw_videoio *v, const char *uri, int api, const int *params, int n);
int pw_videoio_read(pw_videoio *v, void *mat); /* mat: a cv::Mat pointer */
int pw_videoio_set(pw_videoio *v, int prop, double value);
int pw_videoio_get(pw_videoio *v, int prop, double *value);
const char *pw_videoio_error(const pw_videoio *v); /* valid until the next call */
void pw_videoio_delete(pw_videoio *v);

#ifdef __cplusplus
}
#endif

#endif
