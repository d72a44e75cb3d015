#pragma once
#ifdef __cplusplus
extern "C" {
#endif
void pw_one_thread(void);
#ifdef __cplusplus
}
#endif
