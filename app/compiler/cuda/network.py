"""A whole run of operations as one kernel: every multiprocessor works through the same list of steps.

At batch 1 a step takes a few microseconds, less than it takes to launch one. So one kernel stays on the chip, one block
a multiprocessor, and between two steps all blocks wait for each other. A row of the table is a step: what it does, into
how many pieces it falls, where in memory its tensors lie, and its geometry.

Blocks can only wait for blocks that are on the chip. Another kernel may hold a part of it, even another network; so the
blocks that are there within 30 microseconds do the work, and those that come later leave at once. No run can wait for
ever, whatever else runs.
"""

from __future__ import annotations

STEP = 48
"""Integers of a row."""
HEAD = 16
"""Of those, the ones before the geometry."""
THREADS = 512
MEMORY_BYTES = 4 * 3 * (64 + 64) * 128
"""Shared memory of a block: four pipelines of three stages for tiles of 64 × 64."""

KINDS = (
    "product 64 64 alone",
    "product 64 32 together",
    "product 32 32 together",
    "product 64 64 together",
    "few rows",
    "depthwise 3",
    "depthwise 5",
    "depthwise 7",
    "mean",
    "layer norm",
    "attention 32",
    "attention 64",
    "gate",
    "max pool",
)
"""The place of a name is its number in the kernel."""

LONGEST_ROW = 1024
"""Of a layer norm: what a warp holds in registers."""

NETWORK = """
template <typename T>
__device__ __forceinline__ void layer_norm(const T* x, const float* gamma, const float* beta, const int* p, T* y,
                                           int at) {
  constexpr int E = 16 / sizeof(T);
  const int C = p[1], lane = threadIdx.x % 32;
  constexpr int MOST = 1024 / (32 * E);
  const T* row = x + static_cast<long long>(at) * C;
  float v[MOST][E], g[E], h[E], sum = 0.f;
#pragma unroll
  for (int i = 0; i < MOST; ++i) {
    const int c = (i * 32 + lane) * E;
#pragma unroll
    for (int e = 0; e < E; ++e) v[i][e] = 0.f;
    if (c < C) unpack<T>(row + c, v[i]);
  }
#pragma unroll
  for (int i = 0; i < MOST; ++i)
#pragma unroll
    for (int e = 0; e < E; ++e) sum += v[i][e];
#pragma unroll
  for (int step = 16; step; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  const float middle = sum / C;
  sum = 0.f;
#pragma unroll
  for (int i = 0; i < MOST; ++i)
    if ((i * 32 + lane) * E < C) {
#pragma unroll
      for (int e = 0; e < E; ++e) v[i][e] -= middle, sum += v[i][e] * v[i][e];
    }
#pragma unroll
  for (int step = 16; step; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  const float scale = rsqrtf(sum / C + __int_as_float(p[3]));
#pragma unroll
  for (int i = 0; i < MOST; ++i) {
    const int c = (i * 32 + lane) * E;
    if (c >= C) continue;
#pragma unroll
    for (int e = 0; e < E; ++e) g[e] = scale, h[e] = 0.f;
    if (p[2] & 1) {
      floats<E>(gamma + c, g);
#pragma unroll
      for (int e = 0; e < E; ++e) g[e] *= scale;
    }
    if (p[2] & 2) floats<E>(beta + c, h);
#pragma unroll
    for (int e = 0; e < E; ++e) v[i][e] = v[i][e] * g[e] + h[e];
    pack<T>(v[i], y + static_cast<long long>(at) * C + c);
  }
}
template <typename T>
__device__ __forceinline__ void gate(const T* x, const T* by, const int* p, T* y, int at) {
  constexpr int E = 16 / sizeof(T);
  const int vectors = p[2] / E, c = at % vectors * E, n = at / vectors / p[1];
  float a[E], b[E];
  unpack<T>(x + static_cast<long long>(at) * E, a);
  unpack<T>(by + n * p[2] + c, b);
#pragma unroll
  for (int e = 0; e < E; ++e) a[e] *= b[e];
  pack<T>(a, y + static_cast<long long>(at) * E);
}
template <typename T> __device__ __forceinline__ void max_pool(const T* x, const int* p, T* y, int at) {
  constexpr int E = 16 / sizeof(T);
  const int H = p[1], W = p[2], C = p[3], c = at % (C / E) * E;
  int q = at / (C / E);
  const int ow = q % p[5];
  q /= p[5];
  const int oh = q % p[4], n = q / p[4];
  float most[E], v[E];
#pragma unroll
  for (int e = 0; e < E; ++e) most[e] = BELOW;
  for (int kh = 0; kh < p[6]; ++kh) {
    const int ih = oh * p[8] - p[10] + kh;
    if (static_cast<unsigned>(ih) >= H) continue;
    for (int kw = 0; kw < p[7]; ++kw) {
      const int iw = ow * p[9] - p[11] + kw;
      if (static_cast<unsigned>(iw) >= W) continue;
      unpack<T>(x + ((static_cast<long long>(n) * H + ih) * W + iw) * C + c, v);
#pragma unroll
      for (int e = 0; e < E; ++e) most[e] = v[e] > most[e] || v[e] != v[e] ? v[e] : most[e];
    }
  }
  pack<T>(most, y + static_cast<long long>(at) * E);
}
__device__ __forceinline__ unsigned seen(const unsigned* at) {
  unsigned now;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(now) : "l"(at) : "memory");
  return now;
}
__device__ __forceinline__ unsigned long long nanoseconds() {
  unsigned long long now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}
__device__ __forceinline__ void gather_blocks(unsigned* state, int* own) {
  constexpr unsigned CLOSED = 1u << 31;
  if (threadIdx.x == 0) {
    const unsigned rank = atomicAdd(state, 1u);
    unsigned all = 0;
    if (rank == 0) {
      const unsigned long long begin = nanoseconds();
      while (seen(state) < gridDim.x && nanoseconds() - begin < 30000);
      all = atomicOr(state, CLOSED);
      __threadfence();
      atomicExch(state + 1, all);
    } else if (rank < CLOSED) {
      while ((all = seen(state + 1)) == 0);
    }
    own[0] = rank, own[1] = all;
  }
  __syncthreads();
}
__device__ __forceinline__ void all_blocks_meet(unsigned* count, unsigned blocks) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    const unsigned wanted = (atomicAdd(count, 1u) / blocks + 1) * blocks;
    while (seen(count) < wanted);
    __threadfence();
  }
  __syncthreads();
}
#define THREADS_EVERY EVERY(block * 512 + threadIdx.x)
#define EVERY(unit) for (int at = unit; at < pieces; at += units)
template <typename T>
__device__ __forceinline__ void network(const T* x, const T* w, const float* f, const int* table,
                                        unsigned* state, T* arena, char* memory) {
  __shared__ int row[48], own_place[2];
  const int steps = table[15];
  gather_blocks(state, own_place);
  const int block = own_place[0], blocks = own_place[1];
  if (blocks == 0) return;
  int next = threadIdx.x < 48 ? table[threadIdx.x] : 0;
  for (int s = 0; s < steps; ++s) {
    if (threadIdx.x < 48) row[threadIdx.x] = next;
    __syncthreads();
    if (threadIdx.x < 48 && s + 1 < steps) next = table[(s + 1) * 48 + threadIdx.x];
    const int kind = row[0], pieces = row[1], team = threadIdx.x / 128;
    const T* in = (row[2] ? x : arena) + row[3];
    const T* other = (row[4] ? x : arena) + row[5];
    const T* third = (row[6] ? x : arena) + row[7];
    const T* weight = w + row[8];
    const float *bias = f + row[9], *factor = f + row[10];
    T* out = arena + row[11];
    const int* p = row + 16;
    char* own = memory + team * (3 * 128 * 128);
    int units = blocks;
    switch (kind) {
      case 0:
        units *= 4;
        EVERY(block + team * blocks) product<T, 64, 64, 1, 3>(in, weight, bias, factor, other, p, out, at, own);
        break;
      case 1: EVERY(block) product<T, 64, 32, 4, 3>(in, weight, bias, factor, other, p, out, at, memory); break;
      case 2: EVERY(block) product<T, 32, 32, 4, 3>(in, weight, bias, factor, other, p, out, at, memory); break;
      case 3: EVERY(block) product<T, 64, 64, 4, 3>(in, weight, bias, factor, other, p, out, at, memory); break;
      case 4:
        units *= 16;
        EVERY(block + threadIdx.x / 32 * blocks) few_rows<T>(in, weight, bias, factor, other, p, out, at);
        break;
      case 5: units *= 512; THREADS_EVERY depthwise<T, 3, 3, 1, 1>(in, weight, bias, p, out, at); break;
      case 6: units *= 512; THREADS_EVERY depthwise<T, 5, 5, 1, 1>(in, weight, bias, p, out, at); break;
      case 7: units *= 512; THREADS_EVERY depthwise<T, 7, 7, 1, 1>(in, weight, bias, p, out, at); break;
      case 8: EVERY(block) mean<T>(in, p, out, at, memory); break;
      case 9:
        units *= 16;
        EVERY(block + threadIdx.x / 32 * blocks) layer_norm<T>(in, bias, factor, p, out, at);
        break;
      case 10:
        units *= 2;
        EVERY(block + team / 2 * blocks) attend<T, 32>(in, other, third, p, out, at, memory + team / 2 * 98304);
        break;
      case 11:
        units *= 2;
        EVERY(block + team / 2 * blocks) attend<T, 64>(in, other, third, p, out, at, memory + team / 2 * 98304);
        break;
      case 12: units *= 512; THREADS_EVERY gate<T>(in, other, p, out, at); break;
      case 13: units *= 512; THREADS_EVERY max_pool<T>(in, p, out, at); break;
    }
    if (s + 1 < steps) all_blocks_meet(state + 2, blocks);
  }
}
"""
