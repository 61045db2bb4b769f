"""The GPU of `--device cuda`: the first that CUDA shows, which CUDA_VISIBLE_DEVICES chooses."""

import ctypes
import threading
from collections.abc import Callable
from typing import Self

import torch

SECONDS_BETWEEN_LOOKS = 0.05


def require() -> None:
    """Ends the program where torch sees no GPU."""
    if not torch.cuda.is_available():
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        raise SystemExit(
            f"--device cuda needs an NVIDIA GPU, and torch {torch.__version__} ({built}) sees none: "
            "check nvidia-smi, CUDA_VISIBLE_DEVICES and that torch is a build for the driver's CUDA; or use --device cpu"
        )


def name() -> str:
    return torch.cuda.get_device_name(0)


def memory_meter() -> Callable[[], int] | None:
    """What tells the bytes of the GPU's memory that all programs together use, in the driver's management library (NVML); None
    without that library."""
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    uuid, handle = f"GPU-{torch.cuda.get_device_properties(0).uuid}".encode(), ctypes.c_void_p()
    if library.nvmlInit_v2() != 0 or library.nvmlDeviceGetHandleByUUID(uuid, ctypes.byref(handle)) != 0:
        return None

    def used() -> int:
        total_free_used = (ctypes.c_ulonglong * 3)()
        library.nvmlDeviceGetMemoryInfo(handle, total_free_used)
        return total_free_used[2]

    return used


class PeakMemory:
    """Watches the memory that is taken beyond what was in use before, whoever takes it: a quiet GPU is needed. After it, `bytes` is
    the most that was seen, None without a meter."""

    def __init__(self, meter: Callable[[], int] | None):
        self.meter, self.bytes = meter, None
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> Self:
        if self.meter:
            self.before, self.bytes = self.meter(), 0
            self.watcher.start()
        return self

    def __exit__(self, *_) -> None:
        if self.meter:
            self.over.set()
            self.watcher.join()

    def watch(self) -> None:
        while not self.over.wait(SECONDS_BETWEEN_LOOKS):
            self.bytes = max(self.bytes, self.meter() - self.before)
