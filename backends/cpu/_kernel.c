/* The portable stream on the CPU, compiled: the numbers of the rows of a tensor.

   Integers up to one multiplication, so that every compiler, processor and width of vector gives
   the same bits, as long as products and sums are not fused (-ffp-contract=off).

   A row is drawn block by block, in loops over buffers that stay in the first-level cache: words,
   their places in the table of quantiles, one plain load for each of them, numbers. Apart, all but
   the loads are made of vectors at full width; a vector's own gather takes four times as long as
   the plain loads do.

   There is no state here: rows, tables and laws come with every call. */

#include <Python.h>

#include <float.h>
#include <stdint.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2)
#error "this compiler computes a float in a wider type, which changes bits"
#endif
#if defined(__FAST_MATH__)
#error "this compiler is told to change bits (-ffast-math)"
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define ANYWHERE __attribute__((aligned(1), may_alias))
#define NO_VECTORS __asm__ volatile("")
#define RESTRICT __restrict__
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#define INLINE static __forceinline
#define ANYWHERE
#define NO_VECTORS
#define RESTRICT __restrict
#else
#define INLINE static inline
#define ANYWHERE
#define NO_VECTORS
#define RESTRICT restrict
#endif

#define BLOCK 512  /* elements that are drawn at once */
#define GROUP 64   /* words that are: buffers, and the tables of a row, are filled up to it */
#define MANY 16384 /* elements for which Python's lock is released: to get it back can take 5 ms */

enum { WORDS, UNIFORM, NORMAL, TRUNCATED };
enum { FLOAT64, FLOAT32, BFLOAT16, FLOAT16, UINT32 };

/* initspec.backends.cpu.walk.Rows, the last four as addresses. */
typedef struct {
    int64_t skip, base, axes, length, last, span;
    int64_t low, high, memory, outer;
} Walk;

/* initspec.spec.integer_form.Draw, the type of its numbers, and the address of the chords. */
typedef struct {
    int64_t level, kind, type, chords;
    int64_t first, count, lowest, highest;
    double scale, after, shift;
} Law;

/* What lies at an address that Python gives. */
#define AT(type, address) ((type *)(uintptr_t)(address))

typedef double ANYWHERE Number64;
typedef float ANYWHERE Number32;
typedef uint16_t ANYWHERE Bits16;
typedef uint32_t ANYWHERE Bits32;
typedef uint64_t ANYWHERE Bits64;

INLINE uint32_t bits_of(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

INLINE float float_of(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* Threefry-2x32 on four counters (a, b) side by side, for the rounds of one wait for each other. */
#define TURNED(x, by) ((x) << (by) | (x) >> (32 - (by)))
#define ADD(x, y0, y1, y2, y3) x##0 += (y0), x##1 += (y1), x##2 += (y2), x##3 += (y3)
#define ROUND(by)                                                                                  \
    ADD(a, b0, b1, b2, b3);                                                                        \
    b0 = TURNED(b0, by) ^ a0, b1 = TURNED(b1, by) ^ a1;                                            \
    b2 = TURNED(b2, by) ^ a2, b3 = TURNED(b3, by) ^ a3
#define INJECT(first, second)                                                                      \
    ADD(a, first, first, first, first);                                                            \
    ADD(b, second, second, second, second)
#define FOUR_ROUNDS(w, x, y, z, first, second)                                                     \
    ROUND(w);                                                                                      \
    ROUND(x);                                                                                      \
    ROUND(y);                                                                                      \
    ROUND(z);                                                                                      \
    INJECT(first, second)

#define TWENTY_ROUNDS(k0, k1, k2)                                                                  \
    INJECT(k0, k1);                                                                                \
    FOUR_ROUNDS(13, 15, 26, 6, k1, k2 + 1);                                                        \
    FOUR_ROUNDS(17, 29, 16, 24, k2, k0 + 2);                                                       \
    FOUR_ROUNDS(13, 15, 26, 6, k0, k1 + 3);                                                        \
    FOUR_ROUNDS(17, 29, 16, 24, k1, k2 + 4);                                                       \
    FOUR_ROUNDS(13, 15, 26, 6, k2, k0 + 5)
#define PARITY 0x1BD11BDA

/* The words of a block; `wide` where the high half of the index changes within the row. */
INLINE void draw_words(
    uint32_t *RESTRICT words, int size, uint64_t index, int wide, const uint32_t *RESTRICT lows,
    const uint32_t *RESTRICT highs, uint32_t k0, uint32_t k1
) {
    uint32_t row_low = (uint32_t)index, row_high = (uint32_t)(index >> 32);
    uint32_t k2 = k0 ^ k1 ^ PARITY;
    for (int group = 0; group < size; group += GROUP) {
        uint32_t *RESTRICT word = words + group;
        const uint32_t *RESTRICT low = lows + group, *RESTRICT high = highs + group;
        for (int i = 0; i < GROUP / 4; i++) {
            uint32_t b0 = row_low + low[i], b1 = row_low + low[i + 16];
            uint32_t b2 = row_low + low[i + 32], b3 = row_low + low[i + 48];
            uint32_t a0 = row_high, a1 = row_high, a2 = row_high, a3 = row_high;
            if (wide) {
                a0 += high[i] + (b0 < row_low), a1 += high[i + 16] + (b1 < row_low);
                a2 += high[i + 32] + (b2 < row_low), a3 += high[i + 48] + (b3 < row_low);
            }
            TWENTY_ROUNDS(k0, k1, k2);
            word[i] = a0 ^ b0, word[i + 16] = a1 ^ b1;
            word[i + 32] = a2 ^ b2, word[i + 48] = a3 ^ b3;
        }
    }
}

/* From words to the places of their quantiles' chords; sign and distance stay in the words. */
INLINE void draw_places(
    uint16_t *RESTRICT place, uint32_t *RESTRICT word, int size, int truncated, uint32_t first,
    uint64_t count
) {
    size = (size + GROUP - 1) / GROUP * GROUP;
    if (truncated)
        for (int i = 0; i < size; i++)
            word[i] = first + (uint32_t)(word[i] * count >> 32);
    for (int i = 0; i < size; i++) {
        uint32_t positive = 0 - (word[i] >> 31);
        uint32_t tail = bits_of((float)(int32_t)((word[i] ^ positive) | 1));
        place[i] = (uint16_t)(tail >> 15);
        word[i] = (word[i] & 0x80000000) | (tail & 0x7FFF);
    }
}

#define LEAST (127 << 8) /* the place of a tail of one, the first in the table */

INLINE void load_chords(
    uint64_t *RESTRICT chord, const uint16_t *RESTRICT place, int size,
    const uint64_t *RESTRICT chords
) {
    for (int i = 0; i < size; i += 4) {
        chord[i] = chords[place[i] - LEAST];
        chord[i + 1] = chords[place[i + 1] - LEAST];
        chord[i + 2] = chords[place[i + 2] - LEAST];
        chord[i + 3] = chords[place[i + 3] - LEAST];
        NO_VECTORS;
    }
}

INLINE int32_t uniform_integer(uint32_t word) {
    return (int32_t)((word >> 8 << 1) - 0xFFFFFF);
}

INLINE int32_t normal_integer(uint32_t word, uint64_t chord, int32_t lowest, int32_t highest) {
    uint32_t drop = (uint32_t)(chord >> 32) * (word & 0x7FFF) >> 12;
    uint32_t quantile = (uint32_t)chord - drop, positive = 0 - (word >> 31);
    int32_t z = (int32_t)(positive - (quantile ^ positive));
    z = z < lowest ? lowest : z;
    return z > highest ? highest : z;
}

/* In statements of their own, which no compiler fuses that is told so. */
INLINE float in_float(int32_t integer, float scale, float after, float shift) {
    float number = (float)integer * scale;
    number = number * after;
    return number + shift;
}

INLINE double in_double(int32_t integer, double scale, double after, double shift) {
    double number = (double)integer * scale;
    number = number * after;
    return number + shift;
}

INLINE uint16_t bfloat16_of(float number) {
    uint32_t bits = bits_of(number);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

INLINE uint16_t float16_of(float number) {
    uint32_t bits = bits_of(number), size = bits & 0x7FFFFFFF;
    uint32_t half = ((size + 0xFFF + (size >> 13 & 1)) >> 13) - (112u << 10);
    uint32_t tiny = bits_of(float_of(size) + 0.5f); /* a subnormal: rounded at 2**-24 */
    half = size < 113u << 23 ? tiny : half;
    half = size >= 143u << 23 ? 0x7C00 : half; /* 2**16: what is rounded there comes out right */
    return (uint16_t)((half & 0x7FFF) | (bits >> 16 & 0x8000));
}

#define WRITE(type, number_of)                                                                     \
    do {                                                                                           \
        type *RESTRICT at = (type *)out;                                                           \
        for (int i = 0; i < size; i++) {                                                           \
            int32_t z = uniform ? uniform_integer(word[i])                                         \
                                : normal_integer(word[i], chord[i], lowest, highest);              \
            at[i] = number_of;                                                                     \
        }                                                                                          \
    } while (0)

/* The numbers of a block, one beside the other. */
INLINE void write_numbers(
    void *out, int uniform, const uint32_t *RESTRICT word, const uint64_t *RESTRICT chord, int size,
    const Law *law
) {
    int32_t lowest = (int32_t)law->lowest, highest = (int32_t)law->highest;
    float scale = (float)law->scale, after = (float)law->after, shift = (float)law->shift;
    double wide_scale = law->scale, wide_after = law->after, wide_shift = law->shift;
    if (law->type == FLOAT32)
        WRITE(Number32, in_float(z, scale, after, shift));
    else if (law->type == BFLOAT16)
        WRITE(Bits16, bfloat16_of(in_float(z, scale, after, shift)));
    else if (law->type == FLOAT16)
        WRITE(Bits16, float16_of(in_float(z, scale, after, shift)));
    else
        WRITE(Number64, in_double(z, wide_scale, wide_after, wide_shift));
}

#define COPY(type)                                                                                 \
    for (int i = 0; i < size; i++)                                                                 \
    *(type *)(at + memory[i]) = ((const type *)number)[i]

/* From one beside the other to where they belong. */
INLINE void scatter(
    char *at, const int64_t *RESTRICT memory, const void *number, int size, int width
) {
    if (width == 8)
        COPY(Bits64);
    else if (width == 4)
        COPY(Bits32);
    else
        COPY(Bits16);
}

INLINE void draw_row(
    char *at, uint64_t index, int64_t size, const Walk *walk, const Law *law, uint32_t k0,
    uint32_t k1
) {
    uint32_t word[BLOCK];
    uint16_t place[BLOCK];
    uint64_t chord[BLOCK], number[BLOCK];
    int64_t high_changes = (index & 0xFFFFFFFF) + (uint64_t)walk->span > 0xFFFFFFFF;
    int width = law->type == FLOAT64 ? 8 : law->type == BFLOAT16 || law->type == FLOAT16 ? 2 : 4;
    for (int64_t start = 0; start < size; start += BLOCK) {
        int part = (int)(size - start < BLOCK ? size - start : BLOCK);
        const uint32_t *low = AT(const uint32_t, walk->low) + start;
        const uint32_t *high = AT(const uint32_t, walk->high) + start;
        void *out = walk->memory ? (void *)number : at + start * width;
        if (high_changes)
            draw_words(word, part, index, 1, low, high, k0, k1);
        else
            draw_words(word, part, index, 0, low, high, k0, k1);
        if (law->kind == WORDS)
            memcpy(out, word, (size_t)part * sizeof *word);
        else if (law->kind == UNIFORM)
            write_numbers(out, 1, word, chord, part, law);
        else {
            int truncated = law->kind == TRUNCATED;
            draw_places(place, word, part, truncated, (uint32_t)law->first, (uint64_t)law->count);
            load_chords(chord, place, part, AT(const uint64_t, law->chords));
            write_numbers(out, 0, word, chord, part, law);
        }
        if (walk->memory)
            scatter(at, AT(const int64_t, walk->memory) + start, number, part, width);
    }
}

/* Rows `start` to `stop`. */
INLINE void draw_rows(
    char *address, const Walk *walk, const Law *law, uint64_t base, uint32_t k0, uint32_t k1,
    int64_t start, int64_t stop
) {
    const int64_t *axis = AT(const int64_t, walk->outer); /* size, step and stride of each */
    int64_t innermost = 3 * walk->axes - 3;
    for (int64_t row = start; row < stop; row++) {
        char *at = address;
        uint64_t index = base;
        int64_t left = row, size = walk->length;
        for (int64_t n = innermost; n >= 0; n -= 3) {
            int64_t coordinate = left % axis[n];
            left /= axis[n];
            at += coordinate * axis[n + 1];
            index += (uint64_t)coordinate * (uint64_t)axis[n + 2];
            if (n == innermost && coordinate == axis[n] - 1)
                size = walk->last;
        }
        draw_row(at, index, size, walk, law, k0, k1);
    }
}

/* The same code for each level of processors; the table has the fastest last. */
typedef void Draw(
    char *, const Walk *, const Law *, uint64_t, uint32_t, uint32_t, int64_t, int64_t
);
#define LEVEL(name)                                                                                \
    static void name(                                                                              \
        char *address, const Walk *walk, const Law *law, uint64_t base, uint32_t k0, uint32_t k1,  \
        int64_t start, int64_t stop                                                                \
    ) {                                                                                            \
        draw_rows(address, walk, law, base, k0, k1, start, stop);                                  \
    }
typedef struct {
    const char *name;
    Draw *draw;
} Level;

LEVEL(baseline)
#if defined(__GNUC__) && defined(__x86_64__)
__attribute__((target("avx2"))) LEVEL(avx2)
__attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl"))) LEVEL(avx512)
static const Level LEVELS[] = {{"baseline", baseline}, {"avx2", avx2}, {"avx512", avx512}};

/* How many of the levels this processor runs. */
static int count_levels(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2"))
        return 1;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw"))
        return 2;
    return __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") ? 3 : 2;
}
#else
static const Level LEVELS[] = {{"baseline", baseline}};
static int count_levels(void) { return 1; }
#endif

/* Numbers are rounded to nearest and subnormal ones are kept, whatever the thread is set to. */
#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
typedef unsigned int Mode;
static Mode set_mode(Mode mode) {
    Mode before = _mm_getcsr();
    _mm_setcsr(mode);
    return before;
}
#define STANDARD 0x1F80
#elif defined(__GNUC__) && defined(__aarch64__)
typedef uint64_t Mode;
static Mode set_mode(Mode mode) {
    Mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
    return before;
}
#define STANDARD 0
#else
typedef int Mode;
static Mode set_mode(Mode mode) { return mode; }
#define STANDARD 0
#endif

/* The struct that Python has packed; 0, and an error, where it has another size. */
static int unpack(void *to, Py_ssize_t size, PyObject *packed) {
    char *bytes;
    Py_ssize_t found;
    if (PyBytes_AsStringAndSize(packed, &bytes, &found) < 0)
        return 0;
    if (found != size) {
        PyErr_Format(PyExc_ValueError, "a struct of %zd bytes, not of %zd", size, found);
        return 0;
    }
    memcpy(to, bytes, (size_t)size);
    return 1;
}

/* fill(out, walk, law, base, key 0, key 1, start, stop): `out` is a buffer or an address. */
static PyObject *fill(PyObject *module, PyObject *const *given, Py_ssize_t count) {
    Walk walk;
    Law law;
    Py_buffer buffer;
    int held = 0;
    char *out;
    (void)module;
    if (count != 8)
        return PyErr_Format(PyExc_TypeError, "fill takes 8 arguments, not %zd", count);
    if (!unpack(&walk, sizeof walk, given[1]) || !unpack(&law, sizeof law, given[2]))
        return NULL;
    uint64_t base = PyLong_AsUnsignedLongLong(given[3]) + (uint64_t)walk.base;
    uint64_t k0 = PyLong_AsUnsignedLongLong(given[4]), k1 = PyLong_AsUnsignedLongLong(given[5]);
    int64_t start = PyLong_AsLongLong(given[6]), stop = PyLong_AsLongLong(given[7]);
    if (PyErr_Occurred())
        return NULL;
    if (law.level < 0 || law.level >= count_levels())
        return PyErr_Format(PyExc_ValueError, "no level %lld", (long long)law.level);
    if (PyLong_Check(given[0]))
        out = (char *)PyLong_AsVoidPtr(given[0]);
    else {
        if (PyObject_GetBuffer(given[0], &buffer, PyBUF_STRIDES | PyBUF_WRITABLE) < 0)
            return NULL;
        held = 1;
        out = (char *)buffer.buf;
    }
    if (out) {
        int many = (stop - start) * walk.length >= MANY;
        PyThreadState *others = many ? PyEval_SaveThread() : NULL;
        Mode before = set_mode(STANDARD);
        LEVELS[law.level].draw(
            out + walk.skip, &walk, &law, base, (uint32_t)k0, (uint32_t)k1, start, stop
        );
        set_mode(before);
        if (others)
            PyEval_RestoreThread(others);
    }
    if (held)
        PyBuffer_Release(&buffer);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* fold_in(key 0, key 1, data): both words of the counter (0, data). */
static PyObject *fold_in(PyObject *module, PyObject *const *given, Py_ssize_t count) {
    uint64_t word[3] = {0, 0, 0};
    PyObject *first, *second, *key = NULL;
    (void)module;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "fold_in takes 3 arguments, not %zd", count);
    for (int i = 0; i < 3; i++)
        word[i] = PyLong_AsUnsignedLongLong(given[i]);
    if (PyErr_Occurred())
        return NULL;
    uint32_t k0 = (uint32_t)word[0], k1 = (uint32_t)word[1], k2 = k0 ^ k1 ^ PARITY;
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = (uint32_t)word[2], b1 = b0, b2 = b0, b3 = b0;
    TWENTY_ROUNDS(k0, k1, k2);
    (void)a1, (void)a2, (void)a3, (void)b1, (void)b2, (void)b3; /* one counter is enough here */
    first = PyLong_FromUnsignedLong(a0);
    second = PyLong_FromUnsignedLong(b0);
    if (first && second)
        key = PyTuple_Pack(2, first, second);
    Py_XDECREF(first);
    Py_XDECREF(second);
    return key;
}

/* use_huge_pages(address, size): advice for memory that nobody has touched; it never fails. */
static PyObject *use_huge_pages(PyObject *module, PyObject *const *given, Py_ssize_t count) {
    (void)module;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "use_huge_pages takes 2 arguments, not %zd", count);
    uint64_t address = PyLong_AsUnsignedLongLong(given[0]);
    uint64_t size = PyLong_AsUnsignedLongLong(given[1]);
    if (PyErr_Occurred())
        return NULL;
#if defined(MADV_HUGEPAGE)
    uint64_t huge = 1 << 21, begin = (address + huge - 1) / huge * huge;
    uint64_t end = (address + size) / huge * huge;
    if (address && begin < end)
        (void)!madvise(AT(void, begin), (size_t)(end - begin), MADV_HUGEPAGE);
#endif
    Py_RETURN_NONE;
}

static PyObject *levels(PyObject *module, PyObject *none) {
    PyObject *names = PyTuple_New(count_levels());
    (void)module, (void)none;
    for (int i = 0; names && i < count_levels(); i++) {
        PyObject *name = PyUnicode_FromString(LEVELS[i].name);
        if (!name || PyTuple_SetItem(names, i, name) < 0) {
            Py_DECREF(names);
            return NULL;
        }
    }
    return names;
}

/* The first eight bytes of the checksum of this file, as it was when it was compiled. */
static PyObject *source(PyObject *module, PyObject *none) {
    (void)module, (void)none;
    return PyLong_FromUnsignedLongLong(INITSPEC_SOURCE);
}

static PyMethodDef METHODS[] = {
    {"fill", (PyCFunction)(void (*)(void))fill, METH_FASTCALL, NULL},
    {"fold_in", (PyCFunction)(void (*)(void))fold_in, METH_FASTCALL, NULL},
    {"use_huge_pages", (PyCFunction)(void (*)(void))use_huge_pages, METH_FASTCALL, NULL},
    {"levels", levels, METH_NOARGS, NULL},
    {"source", source, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {
#if defined(Py_GIL_DISABLED)
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_kernel", NULL, 0, METHODS, SLOTS, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) {
    return PyModuleDef_Init(&MODULE);
}
