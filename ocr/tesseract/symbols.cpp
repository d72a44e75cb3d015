#include "symbols.h"

#include <tesseract/baseapi.h>
#include <tesseract/resultiterator.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>

// Tesseract starts four OpenMP threads for every layer of its network, which
// on pictures as small as a plate is seven times slower than one, and occupies
// the core that another camera needs. OMP_THREAD_LIMIT would have to be set
// before the process starts; this call works within it. The symbol is weak, so
// that a Tesseract without OpenMP links too.
extern "C" void omp_set_max_active_levels(int) __attribute__((weak));

namespace {

void put(pw_choice *c, int symbol, float confidence, const char *text) {
  c->symbol = symbol;
  c->confidence = confidence;
  std::snprintf(c->text, sizeof c->text, "%s", text);
}

void recognise_picture(tesseract::TessBaseAPI *api, const unsigned char *pixels, int width, int height, int stride) {
  if (omp_set_max_active_levels != nullptr) {
    omp_set_max_active_levels(0); // a setting of the calling thread
  }
  api->SetImage(pixels, width, height, 1, stride);
  api->SetSourceResolution(300); // otherwise it is guessed from the picture's height
  if (api->Recognize(nullptr) != 0) {
    throw std::runtime_error("recognition failed");
  }
}

int recognise(tesseract::TessBaseAPI *api, const unsigned char *pixels, int width, int height, int stride,
              pw_choice *out, int cap) {
  recognise_picture(api, pixels, width, height, stride);
  std::unique_ptr<tesseract::ResultIterator> it(api->GetIterator());
  int n = 0;
  if (!it) {
    return n; // nothing on the picture
  }
  int symbol = 0;
  do {
    std::unique_ptr<const char[]> best(it->GetUTF8Text(tesseract::RIL_SYMBOL));
    if (!best || best[0] == 0 || best[0] == ' ') {
      continue;
    }
    if (n == cap) {
      break;
    }
    put(&out[n++], symbol, it->Confidence(tesseract::RIL_SYMBOL), best.get());
    tesseract::ChoiceIterator choices(*it);
    do {
      const char *text = choices.GetUTF8Text();
      if (text == nullptr || text[0] == 0 || std::strcmp(text, best.get()) == 0) {
        continue;
      }
      if (n == cap) {
        break;
      }
      put(&out[n++], symbol, choices.Confidence(), text);
    } while (choices.Next());
    symbol++;
  } while (it->Next(tesseract::RIL_SYMBOL));
  return n;
}

const int classes = 37; // blank, A-Z, 0-9

int class_of(const char *text) {
  if (text == nullptr || text[0] == 0) {
    return 0;
  }
  if (text[0] >= 'A' && text[0] <= 'Z') {
    return 1 + text[0] - 'A';
  }
  if (text[0] >= '0' && text[0] <= '9') {
    return 27 + text[0] - '0';
  }
  return -1; // the model's placeholder, which never stands for a character
}

int timesteps(tesseract::TessBaseAPI *api, const unsigned char *pixels, int width, int height, int stride,
              float *out, int cap) {
  recognise_picture(api, pixels, width, height, stride);
  std::unique_ptr<tesseract::ResultIterator> it(api->GetIterator());
  if (!it) {
    return 0;
  }
  const auto *segments = it->GetRawLSTMTimesteps();
  if (segments == nullptr) {
    return 0;
  }
  int n = 0;
  for (const auto &segment : *segments) {
    for (const auto &step : segment) {
      if (n == cap) {
        return n;
      }
      float *row = out + n * classes;
      std::fill(row, row + classes, 0.0f);
      for (const auto &choice : step) {
        int c = class_of(choice.first);
        if (c >= 0) {
          row[c] = choice.second;
        }
      }
      n++;
    }
  }
  return n;
}

// guarded calls f and turns an exception into a message and -1.
template <typename F> int guarded(F f, char *why, size_t why_size) {
  try {
    return f();
  } catch (const std::exception &e) {
    std::snprintf(why, why_size, "%s", e.what());
  } catch (...) {
    std::snprintf(why, why_size, "unknown exception");
  }
  return -1;
}

} // namespace

extern "C" int pw_recognise(void *api, const unsigned char *pixels, int width, int height, int stride,
                            pw_choice *out, int cap, char *why, size_t why_size) {
  auto *tess = static_cast<tesseract::TessBaseAPI *>(api);
  return guarded([&] { return recognise(tess, pixels, width, height, stride, out, cap); }, why, why_size);
}

extern "C" int pw_timesteps(void *api, const unsigned char *pixels, int width, int height, int stride,
                            float *out, int cap, char *why, size_t why_size) {
  auto *tess = static_cast<tesseract::TessBaseAPI *>(api);
  return guarded([&] { return timesteps(tess, pixels, width, height, stride, out, cap); }, why, why_size);
}
