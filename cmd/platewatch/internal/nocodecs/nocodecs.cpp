// What gocv's imgcodecs.cpp and videoio.cpp refer to. Where a later OpenCV needs
// more, the linker keeps the library, and the test of package main says so.
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

namespace {
[[noreturn]] void none() { CV_Error(cv::Error::StsNotImplemented, "this program has no codecs: platewatch-decode has them"); }
} // namespace

namespace cv {
Mat imread(const String &, int) { none(); }
bool imwrite(const String &, InputArray, const std::vector<int> &) { none(); }
Mat imdecode(InputArray, int) { none(); }
bool imencode(const String &, InputArray, std::vector<uchar> &, const std::vector<int> &) { none(); }

VideoCapture::VideoCapture() : throwOnFail(false) {}
VideoCapture::~VideoCapture() {}
bool VideoCapture::open(const String &, int) { none(); }
bool VideoCapture::open(const String &, int, const std::vector<int> &) { none(); }
bool VideoCapture::open(int, int) { none(); }
bool VideoCapture::open(int, int, const std::vector<int> &) { none(); }
bool VideoCapture::isOpened() const { return false; }
void VideoCapture::release() {}
bool VideoCapture::grab() { none(); }
bool VideoCapture::retrieve(OutputArray, int) { none(); }
VideoCapture &VideoCapture::operator>>(Mat &) { none(); }
VideoCapture &VideoCapture::operator>>(UMat &) { none(); }
bool VideoCapture::read(OutputArray) { none(); }
bool VideoCapture::set(int, double) { none(); }
double VideoCapture::get(int) const { none(); }

VideoWriter::VideoWriter() {}
VideoWriter::~VideoWriter() {}
bool VideoWriter::open(const String &, int, double, Size, bool) { none(); }
bool VideoWriter::isOpened() const { return false; }
void VideoWriter::release() {}
VideoWriter &VideoWriter::operator<<(const Mat &) { none(); }
VideoWriter &VideoWriter::operator<<(const UMat &) { none(); }
void VideoWriter::write(InputArray) { none(); }
bool VideoWriter::set(int, double) { none(); }
double VideoWriter::get(int) const { none(); }
int VideoWriter::fourcc(char a, char b, char c, char d) { return (a & 255) | (b & 255) << 8 | (c & 255) << 16 | (d & 255) << 24; }
} // namespace cv
