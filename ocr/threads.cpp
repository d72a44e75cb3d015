#include "threads.h"

#include <opencv2/core/utility.hpp>

extern "C" void pw_one_thread(void) { cv::setNumThreads(1); }
