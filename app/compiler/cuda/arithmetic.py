"""What all kernels share: activations, and how numbers are packed. Plain CUDA C++, compiled by NVRTC."""

from __future__ import annotations

ACTIVATIONS = (
    "none",
    "relu",
    "clip",
    "hard_swish",
    "gelu EXACT",
    "silu",
    "sigmoid",
    "sigmoid_hard",
    "gelu TANH_APPROXIMATION",
    "leaky_relu",
    "tanh",
    "gelu SIGMOID_APPROXIMATION",
)
"""The place of a name is its number in `activate`; alpha and beta are its a and b."""

COMMON = """
#define BELOW __int_as_float(0xff800000)
__device__ __forceinline__ float limited(float v, float low, float high) {
  v = v < low ? low : v;
  return v > high ? high : v;
}
#define EACH(result) \\
  _Pragma("unroll") for (int e = 0; e < E; ++e) { const float x = v[e]; v[e] = result; } \\
  break
template <int E> __device__ __forceinline__ void activate(float* v, int kind, float a, float b) {
  switch (kind) {
    case 1: EACH(x < 0.f ? 0.f : x);
    case 2: EACH(limited(x, a, b));
    case 3: EACH(x * limited(a * x + b, 0.f, 1.f));
    case 4: EACH(0.5f * x * (1.f + erff(x * 0.70710678118654752f)));
    case 5: EACH(x / (1.f + expf(-x)));
    case 6: EACH(1.f / (1.f + expf(-x)));
    case 7: EACH(limited(a * x + b, 0.f, 1.f));
    case 8: EACH(0.5f * x * (1.f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x))));
    case 9: EACH(x < 0.f ? a * x : x);
    case 10: EACH(tanhf(x));
    case 11: EACH(x / (1.f + expf(-1.702f * x)));
  }
}
template <typename T> __device__ __forceinline__ void unpack(const void* from, float* v) {
  constexpr int E = 16 / sizeof(T);
  uint4 raw = *reinterpret_cast<const uint4*>(from);
  const T* t = reinterpret_cast<const T*>(&raw);
#pragma unroll
  for (int e = 0; e < E; ++e) v[e] = static_cast<float>(t[e]);
}
template <typename T> __device__ __forceinline__ void pack(const float* v, void* to) {
  constexpr int E = 16 / sizeof(T);
  uint4 raw;
  T* t = reinterpret_cast<T*>(&raw);
#pragma unroll
  for (int e = 0; e < E; ++e) t[e] = static_cast<T>(v[e]);
  *reinterpret_cast<uint4*>(to) = raw;
}
template <int E> __device__ __forceinline__ void floats(const float* from, float* v) {
#pragma unroll
  for (int e = 0; e < E; e += 4) {
    const float4 four = *reinterpret_cast<const float4*>(from + e);
    v[e] = four.x, v[e + 1] = four.y, v[e + 2] = four.z, v[e + 3] = four.w;
  }
}
__device__ __forceinline__ bool aligned(const void* a) { return (reinterpret_cast<size_t>(a) & 15) == 0; }
"""
UNBOUND = """
#undef void
"""
"""First in the body of a kernel whose header ends with `bounded`."""


def bounded(threads: int) -> str:
    """The end of a header: registers are given out so that a block of so many threads fits a multiprocessor.

    MLX writes the kernel's signature itself, `__global__ void name(`; this is the one place where a bound can stand.
    """
    return f"\n#define void __launch_bounds__({threads}) void\n"
