#ifndef PLATEWATCH_IMGCODECS_SHIM_H
#define PLATEWATCH_IMGCODECS_SHIM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Decodes n bytes into the cv::Mat. 1: done, 0: not decodable, -1: an exception
   was caught, whose text is in error (of size error_size, ends with a 0). */
int pw_imgcodecs_decode(const void *bytes, size_t n, int flags, void *mat, char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
