"""softmax(scale * q · kᵀ) · v for sequences of a few hundred, eight warps for sixteen rows of queries.

Each warp takes every eighth run of 32 keys, keeps the largest score and the sum so far, and at the end the eight are
joined. Fragments come straight from memory: what one head reads stays in the nearest cache.
"""

from __future__ import annotations

ATTENTION = """
__device__ __forceinline__ unsigned two(const __half* a, const __half* b) {
  __half2 both = __halves2half2(*a, *b);
  return *reinterpret_cast<unsigned*>(&both);
}
__device__ __forceinline__ unsigned two(const __nv_bfloat16* a, const __nv_bfloat16* b) {
  __nv_bfloat162 both = __halves2bfloat162(*a, *b);
  return *reinterpret_cast<unsigned*>(&both);
}
__device__ __forceinline__ unsigned as_tf32(float v) {
  unsigned r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(v));
  return r;
}
template <typename T> __device__ __forceinline__ unsigned packed(float a, float b) {
  T both[2] = {static_cast<T>(a), static_cast<T>(b)};
  return *reinterpret_cast<unsigned*>(both);
}
template <typename T, int D>
__device__ __forceinline__ void attend(const T* q, const T* k, const T* v, const int* p, T* y, int tile, char* memory) {
  constexpr bool WIDE = sizeof(T) == 4;
  constexpr int STEP = WIDE ? 8 : 16, KD = D / STEP, ND = D / 8, LD = D + 4;
  const int H = p[1], N = p[2], keys = p[3];
  const int tiles = (N + 15) / 16, head = tile / tiles, m0 = tile % tiles * 16, b = head / H, h = head % H;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 8, row = lane / 4, pair = lane % 4;
  const float scale = __int_as_float(p[13]) * 1.44269504f;
  q += static_cast<long long>(b) * p[4] + h * p[5];
  k += static_cast<long long>(b) * p[7] + h * p[8];
  v += static_cast<long long>(b) * p[10] + h * p[11];
  const int qn = p[6], kn = p[9], vn = p[12];
  unsigned a[KD][4];
#pragma unroll
  for (int s = 0; s < KD; ++s)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int m = m0 + row + i % 2 * 8;
      a[s][i] = 0;
      if (m < N) {
        if constexpr (WIDE) a[s][i] = as_tf32(q[m * qn + s * 8 + pair + i / 2 * 4]);
        else a[s][i] = *reinterpret_cast<const unsigned*>(q + m * qn + s * 16 + pair * 2 + i / 2 * 8);
      }
    }
  float out[ND][4], most[2] = {BELOW, BELOW}, sum[2] = {0.f, 0.f};
#pragma unroll
  for (int j = 0; j < ND; ++j)
#pragma unroll
    for (int e = 0; e < 4; ++e) out[j][e] = 0.f;
  for (int k0 = warp * 32; k0 < keys; k0 += 256) {
    float s[4][4];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int key = k0 + j * 8 + row;
#pragma unroll
      for (int e = 0; e < 4; ++e) s[j][e] = 0.f;
#pragma unroll
      for (int i = 0; i < KD; ++i) {
        unsigned f[2] = {0, 0};
        if (key < keys) {
          if constexpr (WIDE) {
            f[0] = as_tf32(k[key * kn + i * 8 + pair]);
            f[1] = as_tf32(k[key * kn + i * 8 + pair + 4]);
          } else {
            f[0] = *reinterpret_cast<const unsigned*>(k + key * kn + i * 16 + pair * 2);
            f[1] = *reinterpret_cast<const unsigned*>(k + key * kn + i * 16 + pair * 2 + 8);
          }
        }
        multiply<T>(s[j], a[i], f);
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = most[half];
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& one = s[j][half * 2 + e];
          one = k0 + j * 8 + pair * 2 + e < keys ? one * scale : BELOW;
          top = fmaxf(top, one);
        }
      top = fmaxf(top, __shfl_xor_sync(~0u, top, 1));
      top = fmaxf(top, __shfl_xor_sync(~0u, top, 2));
      const float shrunk = exp2f(most[half] - top);
      most[half] = top;
      float added = 0.f;
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) added += s[j][half * 2 + e] = exp2f(s[j][half * 2 + e] - top);
      sum[half] = sum[half] * shrunk + added;
#pragma unroll
      for (int j = 0; j < ND; ++j) out[j][half * 2] *= shrunk, out[j][half * 2 + 1] *= shrunk;
    }
#pragma unroll
    for (int i = 0; i < 32 / STEP; ++i) {
      unsigned w[4];
      if constexpr (WIDE) {
        w[0] = as_tf32(s[i][0]), w[1] = as_tf32(s[i][2]), w[2] = as_tf32(s[i][1]), w[3] = as_tf32(s[i][3]);
      } else {
        w[0] = packed<T>(s[2 * i][0], s[2 * i][1]), w[1] = packed<T>(s[2 * i][2], s[2 * i][3]);
        w[2] = packed<T>(s[2 * i + 1][0], s[2 * i + 1][1]), w[3] = packed<T>(s[2 * i + 1][2], s[2 * i + 1][3]);
      }
      const int key = k0 + i * STEP + pair * 2;
#pragma unroll
      for (int j = 0; j < ND; ++j) {
        const T* at = v + j * 8 + row;
        unsigned f[2];
        if constexpr (WIDE) {
          f[0] = key < keys ? as_tf32(at[key * vn]) : 0;
          f[1] = key + 1 < keys ? as_tf32(at[(key + 1) * vn]) : 0;
        } else {
          const T none = static_cast<T>(0.f);
#pragma unroll
          for (int e = 0; e < 2; ++e) {
            const int one = key + e * 8;
            const T first = one < keys ? at[one * vn] : none, second = one + 1 < keys ? at[(one + 1) * vn] : none;
            f[e] = two(&first, &second);
          }
        }
        multiply<T>(out[j], w, f);
      }
    }
  }
  float* parts = reinterpret_cast<float*>(memory);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    sum[half] += __shfl_xor_sync(~0u, sum[half], 1);
    sum[half] += __shfl_xor_sync(~0u, sum[half], 2);
    float* to = parts + (warp * 16 + row + half * 8) * LD;
#pragma unroll
    for (int j = 0; j < ND; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) to[j * 8 + pair * 2 + e] = out[j][half * 2 + e];
    if (pair == 0) to[D] = most[half], to[D + 1] = sum[half];
  }
  const int team = 8 + threadIdx.x / 256;
  meet(team, 256);
  for (int at = threadIdx.x % 256; at < 16 * D; at += 256) {
    const int m = at / D, d = at % D;
    if (m0 + m >= N) break;
    float top = BELOW, total = 0.f, value = 0.f;
    for (int w = 0; w < 8; ++w) top = fmaxf(top, parts[(w * 16 + m) * LD + D]);
    for (int w = 0; w < 8; ++w) {
      const float* from = parts + (w * 16 + m) * LD;
      const float share = exp2f(from[D] - top);
      total += from[D + 1] * share;
      value += from[d] * share;
    }
    y[((static_cast<long long>(b) * N + m0 + m) * H + h) * D + d] = static_cast<T>(value / total);
  }
  meet(team, 256);
}
"""
