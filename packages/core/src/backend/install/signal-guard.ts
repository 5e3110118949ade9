// Keeps signals away from threads that compute in TensorFlow, in the addon that this package compiles.

/** Where the guard lies, relative to the tfjs-node package; the compiler includes it before each source. */
export const signalGuardFile = 'binding/memgen_signal_guard.h';

/**
 * While oneDNN multiplies matrices it may keep its stack pointer in the middle of the heap, so the frame of any signal
 * handler overwrites what lies there (uxlfoundation/oneDNN, issue 4845, mended there in March 2026): Ctrl-C, a resized
 * terminal or a profiler can end the process, or change its numbers unseen. A thread with signals blocked never gets such a frame, and
 * TensorFlow's own threads take the mask of the thread that makes them. Signals to the process go to another of Node's
 * threads at once; those to the thread itself (a profiler's) wait until the operation ends.
 */
export const signalGuard = `#pragma once
#include <signal.h>
#include <initializer_list>
#include "tensorflow/c/eager/c_api.h"

namespace memgen {

class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t blocked;
    sigfillset(&blocked);
    // What the thread does to itself cannot wait.
    for (int fault : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

inline TFE_Context* NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  WithoutSignals guard;
  return TFE_NewContext(options, status);
}

inline void Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status) {
  WithoutSignals guard;
  TFE_Execute(op, results, count, status);
}

}  // namespace memgen

#define TFE_NewContext memgen::NewContext
#define TFE_Execute memgen::Execute
`;
