"""A depthwise convolution with bias and activation, and the mean over space, on channels-last tensors."""

from __future__ import annotations

DEPTHWISE = """
template <typename T, int KH, int KW, int SW, int TW>
__device__ __forceinline__ void depthwise(const T* x, const T* w, const float* bias, const int* p, T* y,
                                          long long at) {
  constexpr int E = 16 / sizeof(T);
  const int H = p[1], W = p[2], C = p[3], OH = p[4], OW = p[5], DW = p[10];
  const int vectors = C / E, tiles = (OW + TW - 1) / TW;
  if (at >= static_cast<long long>(p[0]) * OH * tiles * vectors) return;
  const int c = at % vectors * E;
  at /= vectors;
  const int ow = at % tiles * TW;
  at /= tiles;
  const int oh = at % OH, n = at / OH, step = TW == 1 ? p[15] : SW;
  float acc[TW][E];
#pragma unroll
  for (int t = 0; t < TW; ++t)
#pragma unroll
    for (int e = 0; e < E; ++e) acc[t][e] = p[11] ? bias[c + e] : 0.f;
#pragma unroll
  for (int kh = 0; kh < KH; ++kh) {
    const int ih = oh * p[6] - p[7] + kh * p[9];
    if (static_cast<unsigned>(ih) >= H) continue;
    float wk[KW][E];
#pragma unroll
    for (int kw = 0; kw < KW; ++kw) unpack<T>(w + (kh * KW + kw) * C + c, wk[kw]);
    const T* row = x + (static_cast<long long>(n) * H + ih) * W * C + c;
#pragma unroll
    for (int j = 0; j < (TW - 1) * SW + KW; ++j) {
      const int iw = ow * step - p[8] + j * DW;
      if (static_cast<unsigned>(iw) >= W) continue;
      float v[E];
      unpack<T>(row + static_cast<long long>(iw) * C, v);
#pragma unroll
      for (int t = 0; t < TW; ++t) {
        const int kw = j - t * SW;
        if (kw < 0 || kw >= KW) continue;
#pragma unroll
        for (int e = 0; e < E; ++e) acc[t][e] += v[e] * wk[kw][e];
      }
    }
  }
#pragma unroll
  for (int t = 0; t < TW; ++t) {
    if (ow + t >= OW) break;
    activate<E>(acc[t], p[12], __int_as_float(p[13]), __int_as_float(p[14]));
    pack<T>(acc[t], y + ((static_cast<long long>(n) * OH + oh) * OW + ow + t) * C + c);
  }
}
"""

MEAN = """
template <typename T>
__device__ __forceinline__ void mean(const T* x, const int* p, T* y, int tile, char* memory) {
  constexpr int E = 16 / sizeof(T);
  float* sums = reinterpret_cast<float*>(memory);
  const int S = p[0], C = p[1], groups = (C + 8 * E - 1) / (8 * E), parts = blockDim.x / 8;
  const int n = tile / groups, first = tile % groups * 8 * E, c = first + threadIdx.x % 8 * E, part = threadIdx.x / 8;
  float acc[E];
#pragma unroll
  for (int e = 0; e < E; ++e) acc[e] = 0.f;
  if (c < C) {
#pragma unroll 4
    for (int s = part; s < S; s += parts) {
      float v[E];
      unpack<T>(x + (static_cast<long long>(n) * S + s) * C + c, v);
#pragma unroll
      for (int e = 0; e < E; ++e) acc[e] += v[e];
    }
  }
#pragma unroll
  for (int e = 0; e < E; ++e) sums[part * 8 * E + threadIdx.x % 8 * E + e] = acc[e];
  __syncthreads();
  if (threadIdx.x < 8 * E && first + threadIdx.x < C) {
    float total = 0.f;
    for (int s = 0; s < parts; ++s) total += sums[s * 8 * E + threadIdx.x];
    y[static_cast<long long>(n) * C + first + threadIdx.x] = static_cast<T>(total / S);
  }
  __syncthreads();
}
"""
