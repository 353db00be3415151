"""A convolution or linear layer with all that follows it in one kernel: bias, factor, residual, activation.

y[m, n] = sum over k of window(x)[m, k] * w[n, k]: m counts output pixels, k counts (row, column, channel) of the
window. A block makes a tile BM x BN on the matrix units. Its G groups of four warps take every G-th slice of k, so that
a long sum over few outputs, the rule at batch 1, still keeps a multiprocessor busy; then the groups' sums are added.
Halves are summed in float32; float32 is rounded to tf32 on the way in, as MLX's own products do it.
"""

from __future__ import annotations

FINISH = """
template <typename T>
__device__ __forceinline__ void finish(float* v, const float* bias, const float* factor, const T* res, int n,
                                       long long place, int flags, int act, float alpha, float beta, T* y) {
  constexpr int E = 16 / sizeof(T);
  float add[E], scale[E], r[E];
#pragma unroll
  for (int e = 0; e < E; ++e) add[e] = r[e] = 0.f, scale[e] = 1.f;
  if (flags & 1) floats<E>(bias + n, add);
  if (flags & 2) floats<E>(factor + n, scale);
  if (flags & 4) unpack<T>(res + place, r);
#pragma unroll
  for (int e = 0; e < E; ++e) v[e] = (v[e] + add[e]) * scale[e] + (flags & 8 ? r[e] : 0.f);
  activate<E>(v, act, alpha, beta);
#pragma unroll
  for (int e = 0; e < E; ++e) v[e] += (flags & 12) == 4 ? r[e] : 0.f;
  pack<T>(v, y + place);
}
template <typename T>
__device__ __noinline__ void finish_one(float v, const float* bias, const float* factor, const T* res, int n,
                                        long long place, int flags, int act, float alpha, float beta, T* y) {
  if (flags & 1) v += bias[n];
  if (flags & 2) v *= factor[n];
  if (flags & 8) v += static_cast<float>(res[place]);
  activate<1>(&v, act, alpha, beta);
  if ((flags & 12) == 4) v += static_cast<float>(res[place]);
  y[place] = static_cast<T>(v);
}
"""

PRODUCT = """
__device__ __forceinline__ void copy16(unsigned to, const void* from, bool there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(there ? 16 : 0));
}
__device__ __forceinline__ void matrices(unsigned* r, unsigned at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at));
}
#define MMA(shape, types) \\
  asm volatile("mma.sync.aligned." shape ".row.col.f32." types ".f32 " \\
               "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \\
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) \\
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
template <typename T> __device__ __forceinline__ void multiply(float* d, const unsigned* a, const unsigned* b);
template <> __device__ __forceinline__ void multiply<__half>(float* d, const unsigned* a, const unsigned* b) {
  MMA("m16n8k16", "f16.f16");
}
template <> __device__ __forceinline__ void multiply<__nv_bfloat16>(float* d, const unsigned* a, const unsigned* b) {
  MMA("m16n8k16", "bf16.bf16");
}
template <> __device__ __forceinline__ void multiply<float>(float* d, const unsigned* a, const unsigned* b) {
  MMA("m16n8k8", "tf32.tf32");
}
template <typename T> __device__ __forceinline__ void rounded(unsigned* r) {
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (int i = 0; i < 4; ++i) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r[i]) : "f"(__uint_as_float(r[i])));
  }
}
__device__ __forceinline__ void meet(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}
template <typename T>
__device__ __forceinline__ const T* located(const T* x, const int* p, int m, int& top, int& left) {
  const int H = p[3], W = p[4], C = p[5], OH = p[6], OW = p[7];
  top = m < p[0] ? 0 : -(1 << 29);
  left = 0;
  if (p[15] & 16 || m >= p[0]) return x + static_cast<long long>(m) * C;
  const int q = m / OW, n = q / OH;
  top = (q - n * OH) * p[9] - p[11];
  left = (m - q * OW) * p[10] - p[12];
  return x + ((static_cast<long long>(n) * H + top) * W + left) * C;
}
template <typename T, int BM, int BN>
__device__ __noinline__ void gather(const T* x, const T* w, const int* p, int m, int n, int k, char* to) {
  constexpr int E = 16 / sizeof(T);
  const int N = p[1], K = p[2], H = p[3], W = p[4], C = p[5], KW = p[8];
#pragma unroll 1
  for (int i = 0; i < BM + BN; i += 16, to += 2048) {
    int top, left;
    const T* from = located(x, p, m + i, top, left);
    alignas(16) T v[E];
#pragma unroll
    for (int e = 0; e < E; ++e) {
      const int kk = k + e, tap = kk / C, dy = tap / KW * p[13], dx = tap % KW * p[14];
      v[e] = static_cast<T>(0.f);
      if (i >= BM) {
        if (kk < K && n + i - BM < N) v[e] = w[static_cast<long long>(n + i - BM) * K + kk];
      } else if (kk < K && static_cast<unsigned>(top + dy) < H && static_cast<unsigned>(left + dx) < W) {
        v[e] = from[(static_cast<long long>(dy) * W + dx) * C + kk - tap * C];
      }
    }
    *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(v);
  }
}
template <typename T, int BM, int BN, int G, int S>
__device__ __forceinline__ void product(const T* x, const T* w, const float* bias, const float* factor, const T* res,
                                        const int* p, T* y, int tile, char* memory) {
  constexpr int E = 16 / sizeof(T), BK = 128 / sizeof(T), STAGE = (BM + BN) * 128;
  constexpr int WM = BM / 2, WN = BN / 2, TM = WM / 16, TN = WN / 8, PA = BM / 16, PB = BN / 16, LD = BN + 4;
  const int M = p[0], N = p[1], K = p[2], H = p[3], W = p[4], C = p[5], KW = p[8];
  const int DH = p[13], DW = p[14], flags = p[15], act = p[16];
  const float alpha = __int_as_float(p[17]), beta = __int_as_float(p[18]);
  const int t = threadIdx.x % 128, g = threadIdx.x / 128 % G, lane = t % 32, warp = t / 32;
  const int across = (N + BN - 1) / BN, m0 = tile / across * BM, n0 = tile % across * BN;
  const int col = t & 7, r0 = t >> 3, wm = (warp & 1) * WM, wn = (warp >> 1) * WN;
  const bool point = flags & 16, quick = C % E == 0 && aligned(x) && aligned(w);
  const T* base[PA];
  int top[PA], left[PA];
#pragma unroll
  for (int i = 0; i < PA; ++i) base[i] = located(x, p, m0 + r0 + 16 * i, top[i], left[i]);
  const unsigned shared = static_cast<unsigned>(__cvta_generic_to_shared(memory)) + g * S * STAGE;
  auto load = [&](int kt, int stage) {
    const int k = kt * BK + col * E, swizzled = (col ^ (r0 & 7)) << 4, at = stage * STAGE + r0 * 128 + swizzled;
    if (quick) {
      int tap = 0, c = k, dy = 0, dx = 0;
      if (!point) {
        tap = k / C;
        c = k - tap * C;
        dy = tap / KW;
        dx = (tap - dy * KW) * DW;
        dy *= DH;
      }
      const long long d = (static_cast<long long>(dy) * W + dx) * C + c;
#pragma unroll
      for (int i = 0; i < PA; ++i) {
        const bool there = k < K && static_cast<unsigned>(top[i] + dy) < H && static_cast<unsigned>(left[i] + dx) < W;
        copy16(shared + at + i * 2048, there ? base[i] + d : x, there);
      }
#pragma unroll
      for (int i = 0; i < PB; ++i) {
        const int n = n0 + r0 + 16 * i;
        const bool there = k < K && n < N;
        copy16(shared + at + BM * 128 + i * 2048, there ? w + static_cast<long long>(n) * K + k : w, there);
      }
    } else {
      gather<T, BM, BN>(x, w, p, m0 + r0, n0 + r0, k, memory + g * S * STAGE + at);
    }
  };
  float acc[TM][TN][4];
#pragma unroll
  for (int i = 0; i < TM; ++i)
#pragma unroll
    for (int j = 0; j < TN; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) acc[i][j][e] = 0.f;
  const int slices = (K + BK - 1) / BK, mine = (slices - g + G - 1) / G;
#pragma unroll
  for (int s = 0; s < S - 1; ++s) {
    if (s < mine) load(g + s * G, s);
    asm volatile("cp.async.commit_group;");
  }
  for (int it = 0; it < mine; ++it) {
    asm volatile("cp.async.wait_group %0;" ::"n"(S - 2));
    meet(1 + threadIdx.x / 128, 128);
    if (it + S - 1 < mine) load(g + (it + S - 1) * G, (it + S - 1) % S);
    asm volatile("cp.async.commit_group;");
    const unsigned at = shared + it % S * STAGE;
#pragma unroll
    for (int kk = 0; kk < 4; ++kk) {
      unsigned a[TM][4], b[TN / 2][4];
#pragma unroll
      for (int i = 0; i < TM; ++i) {
        const int row = wm + i * 16 + (lane & 15), chunk = kk * 2 + (lane >> 4);
        matrices(a[i], at + row * 128 + ((chunk ^ (row & 7)) << 4));
        rounded<T>(a[i]);
      }
#pragma unroll
      for (int j = 0; j < TN / 2; ++j) {
        const int row = wn + j * 16 + (lane & 7) + (lane >> 4 << 3), chunk = kk * 2 + (lane >> 3 & 1);
        matrices(b[j], at + BM * 128 + row * 128 + ((chunk ^ (row & 7)) << 4));
        rounded<T>(b[j]);
      }
#pragma unroll
      for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) multiply<T>(acc[i][j], a[i], b[j / 2] + j % 2 * 2);
    }
  }
  asm volatile("cp.async.wait_all;");
  const int team = 8 + threadIdx.x / (128 * G);
  meet(team, 128 * G);
  float* sums = reinterpret_cast<float*>(memory);
#pragma unroll
  for (int i = 0; i < TM; ++i)
#pragma unroll
    for (int j = 0; j < TN; ++j)
#pragma unroll
      for (int e = 0; e < 4; e += 2) {
        const int row = wm + i * 16 + lane / 4 + e * 4, c = wn + j * 8 + lane % 4 * 2;
        *reinterpret_cast<float2*>(sums + (g * BM + row) * LD + c) = make_float2(acc[i][j][e], acc[i][j][e + 1]);
      }
  meet(team, 128 * G);
  const bool whole = N % E == 0 && aligned(y) && (!(flags & 4) || aligned(res));
  for (int at = threadIdx.x % (128 * G); at < BM * BN / E; at += G * 128) {
    const int row = at / (BN / E), c = at % (BN / E) * E, m = m0 + row, n = n0 + c;
    if (m >= M || n >= N) continue;
    const long long place = static_cast<long long>(m) * N + n;
    float v[E], r[E];
    floats<E>(sums + row * LD + c, v);
#pragma unroll
    for (int turn = 1; turn < G; ++turn) {
      floats<E>(sums + (turn * BM + row) * LD + c, r);
#pragma unroll
      for (int e = 0; e < E; ++e) v[e] += r[e];
    }
    if (whole) finish<T>(v, bias, factor, res, n, place, flags, act, alpha, beta, y);
    else
      for (int e = 0; e < E && n + e < N; ++e) {
        float one = sums[row * LD + c + e];
        for (int turn = 1; turn < G; ++turn) one += sums[(turn * BM + row) * LD + c + e];
        finish_one(one, bias, factor, res, n + e, place + e, flags, act, alpha, beta, y);
      }
  }
  meet(team, 128 * G);
}
"""

VECTOR = """
template <typename T>
__device__ __forceinline__ void few_rows(const T* x, const T* w, const float* bias, const float* factor, const T* res,
                                         const int* p, T* y, int at) {
  constexpr int E = 16 / sizeof(T);
  const int N = p[1], K = p[2], lane = threadIdx.x % 32, m = at / N, n = at - m * N;
  const T* row = x + static_cast<long long>(m) * K;
  const T* column = w + static_cast<long long>(n) * K;
  float sum = 0.f;
  if (K % E == 0 && aligned(x) && aligned(w)) {
#pragma unroll 4
    for (int k = lane * E; k < K; k += 32 * E) {
      float a[E], b[E];
      unpack<T>(row + k, a);
      unpack<T>(column + k, b);
#pragma unroll
      for (int e = 0; e < E; ++e) sum += a[e] * b[e];
    }
  } else {
    for (int k = lane; k < K; k += 32) sum += static_cast<float>(row[k]) * static_cast<float>(column[k]);
  }
#pragma unroll
  for (int step = 16; step; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  if (lane == 0)
    finish_one(sum, bias, factor, res, n, at, p[15], p[16], __int_as_float(p[17]), __int_as_float(p[18]), y);
}
"""
