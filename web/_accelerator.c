/* The accelerator: C in the place of what Python does once for each write.
 *
 * `send_each` has a function of the same name in Python (web/io/send_batch.py), which does the same; web/accelerator.py
 * picks one of them, and tests/web/io/test_send_batch.py runs on both.
 *
 * The interpreter lock is released around the sends and nowhere else. Other threads run meanwhile, and the files cannot
 * be closed, nor their numbers become those of other files: only the event loop's thread closes connections, and it is
 * in this call. No collector closes them either, for the call holds the list, thereby the writers, and these their
 * sockets. A writer that is closed has no number (`ready_file` is -1), so that a number here is that of an open file.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#endif
#endif
#ifdef IORING_SETUP_SUBMIT_ALL
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* Python ignores SIGPIPE */
#endif

enum { AT_ONCE = 64 }; /* writes for which the lock is released once */

enum state { WAITS, SENT, FULL, BROKEN };

typedef struct {
    PyObject *writer, *frames; /* borrowed from the list */
    int file;
    enum state state; /* WAITS: the kernel was not asked */
    Py_ssize_t sent;
} Write;

static PyObject *ready_file, *write_, *keep_rest, *close_;

/* ------------------------------------------------------------ io_uring: many sends in one system call */

#ifdef IORING_SETUP_SUBMIT_ALL

enum { RING_PAYS = 4 }; /* fewer sends take less without it: 1 x1.1, 5 x0.92, 64 x0.86 of the time */

static struct {
    int file; /* -1 where there is none */
    int is_used;
    unsigned *head, *tail, *mask, *array, *done_head, *done_tail, *done_mask;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *done;
    void *rings[2];
    size_t sizes[2];
} ring = {.file = -1};

static void forget_ring(void) /* in a child process, which does not have its memory */
{
    ring.file = -1;
}

static int open_ring_(void)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SUBMIT_ALL}; /* since Linux 5.18, later than SEND */
    int file = (int)syscall(__NR_io_uring_setup, AT_ONCE, &params);
    if (file < 0)
        return -1;
    size_t entries = params.sq_entries * sizeof(struct io_uring_sqe);
    size_t queue = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t done = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    ring.sizes[0] = queue > done ? queue : done; /* both in one, since Linux 5.4 */
    ring.sizes[1] = entries;
    char *at = ring.rings[0] =
        mmap(NULL, ring.sizes[0], PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, IORING_OFF_SQ_RING);
    ring.rings[1] = mmap(NULL, entries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, IORING_OFF_SQES);
    if (ring.rings[0] == MAP_FAILED || ring.rings[1] == MAP_FAILED) {
        for (int i = 0; i < 2; i++)
            if (ring.rings[i] != MAP_FAILED)
                munmap(ring.rings[i], ring.sizes[i]);
        close(file);
        return -1;
    }
    ring.entries = ring.rings[1];
    ring.head = (unsigned *)(at + params.sq_off.head);
    ring.tail = (unsigned *)(at + params.sq_off.tail);
    ring.mask = (unsigned *)(at + params.sq_off.ring_mask);
    ring.array = (unsigned *)(at + params.sq_off.array);
    ring.done_head = (unsigned *)(at + params.cq_off.head);
    ring.done_tail = (unsigned *)(at + params.cq_off.tail);
    ring.done_mask = (unsigned *)(at + params.cq_off.ring_mask);
    ring.done = (struct io_uring_cqe *)(at + params.cq_off.cqes);
    ring.file = file;
    return 0;
}

static void close_ring_(void)
{
    if (ring.file < 0 || ring.is_used)
        return;
    munmap(ring.rings[0], ring.sizes[0]);
    munmap(ring.rings[1], ring.sizes[1]);
    close(ring.file);
    ring.file = -1;
}

static void take_done(Write *writes, unsigned *left)
{
    unsigned head = *ring.done_head, tail = __atomic_load_n(ring.done_tail, __ATOMIC_ACQUIRE);
    for (; head != tail; head++, --*left) {
        struct io_uring_cqe *done = &ring.done[head & *ring.done_mask];
        Write *each = &writes[done->user_data];
        if (done->res >= 0 || done->res == -EAGAIN) {
            each->sent = done->res >= 0 ? done->res : 0;
            each->state = each->sent == PyBytes_GET_SIZE(each->frames) ? SENT : FULL;
        } /* else `send` finds out what is wrong */
    }
    __atomic_store_n(ring.done_head, head, __ATOMIC_RELEASE);
}

/* Sends what it can. Of each file only the first write: a second one might be sent where the first was not. */
static void send_by_ring(Write *writes, Py_ssize_t count)
{
    uint64_t seen[16] = {0}; /* by the last ten bits of a file's number: what looks like a second one waits, too */
    unsigned tail = *ring.tail, submitted = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        unsigned file = (unsigned)writes[i].file, bit = file % 64, word = file / 64 % 16;
        if (writes[i].file < 0 || (seen[word] >> bit & 1))
            continue;
        seen[word] |= (uint64_t)1 << bit;
        unsigned at = tail & *ring.mask;
        struct io_uring_sqe *entry = &ring.entries[at];
        memset(entry, 0, sizeof *entry);
        entry->opcode = IORING_OP_SEND;
        entry->fd = writes[i].file;
        entry->addr = (uint64_t)(uintptr_t)PyBytes_AS_STRING(writes[i].frames);
        entry->len = (unsigned)PyBytes_GET_SIZE(writes[i].frames);
        entry->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
        entry->user_data = (uint64_t)i;
        ring.array[at] = at;
        tail++;
        submitted++;
    }
    if (submitted < RING_PAYS)
        return; /* the tail is where it was */
    __atomic_store_n(ring.tail, tail, __ATOMIC_RELEASE);
    long taken = syscall(__NR_io_uring_enter, ring.file, submitted, submitted, IORING_ENTER_GETEVENTS, NULL, 0);
    if (taken != (long)submitted) /* the kernel lacks memory: what it did not take is sent in the other way */
        __atomic_store_n(ring.tail, __atomic_load_n(ring.head, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    unsigned left = taken < 0 ? 0 : (unsigned)taken;
    take_done(writes, &left);
    while (left) { /* as a rule all are done by then, since none of them waits */
        if (syscall(__NR_io_uring_enter, ring.file, 0, left, IORING_ENTER_GETEVENTS, NULL, 0) < 0 && errno != EINTR)
            Py_FatalError("io_uring does not say what was sent");
        take_done(writes, &left);
    }
}

#endif

static PyObject *open_ring(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(arguments))
{
#ifdef IORING_SETUP_SUBMIT_ALL
    return PyBool_FromLong(ring.file >= 0 || open_ring_() == 0);
#else
    Py_RETURN_FALSE;
#endif
}

static PyObject *close_ring(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(arguments))
{
#ifdef IORING_SETUP_SUBMIT_ALL
    close_ring_();
#endif
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------ sending */

/* Sends what waits, in order. A file that did not take a write whole is offered no later one. */
static void send_in_turn(Write *writes, Py_ssize_t count)
{
    int full[AT_ONCE], full_count = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Write *each = &writes[i];
        int is_full = each->file < 0;
        for (int j = 0; j < full_count && !is_full; j++)
            is_full = full[j] == each->file;
        if (!is_full && each->state == WAITS) {
            ssize_t sent;
            do
                sent = send(each->file, PyBytes_AS_STRING(each->frames), PyBytes_GET_SIZE(each->frames),
                            MSG_DONTWAIT | MSG_NOSIGNAL);
            while (sent < 0 && errno == EINTR);
            each->sent = sent < 0 ? 0 : sent;
            if (sent == PyBytes_GET_SIZE(each->frames))
                each->state = SENT;
            else
                each->state = sent >= 0 || errno == EAGAIN || errno == EWOULDBLOCK ? FULL : BROKEN;
        }
        if (!is_full && each->state != SENT)
            full[full_count++] = each->file;
    }
}

static void tell(PyObject *writer, PyObject *method, PyObject *frames, PyObject *sent)
{
    PyObject *done = PyObject_CallMethodObjArgs(writer, method, frames, sent, NULL);
    if (done == NULL)
        PyErr_WriteUnraisable(writer); /* none of them raises: the others are told in any case */
    Py_XDECREF(done);
}

/* Tells the writers what was not sent. First those that a write was begun of: other calls may lead to anything. */
static void tell_unsent(Write *writes, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if (writes[i].state == BROKEN)
            tell(writes[i].writer, close_, NULL, NULL);
        if (writes[i].state == FULL) {
            PyObject *sent = PyLong_FromSsize_t(writes[i].sent);
            if (sent == NULL)
                PyErr_WriteUnraisable(writes[i].writer);
            else
                tell(writes[i].writer, keep_rest, writes[i].frames, sent);
            Py_XDECREF(sent);
        }
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (writes[i].state == WAITS)
            tell(writes[i].writer, write_, writes[i].frames, NULL);
    }
}

static int read_write(PyObject *pair, Write *write)
{
    if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2 || !PyBytes_CheckExact(PyTuple_GET_ITEM(pair, 1))) {
        PyErr_SetString(PyExc_TypeError, "expected a list of writers with their frames");
        return -1;
    }
    write->writer = PyTuple_GET_ITEM(pair, 0);
    write->frames = PyTuple_GET_ITEM(pair, 1);
    write->state = WAITS;
    write->sent = 0;
    PyObject *number = PyObject_GetAttr(write->writer, ready_file);
    if (number == NULL)
        return -1;
    write->file = (int)PyLong_AsLong(number);
    Py_DECREF(number);
    return write->file == -1 && PyErr_Occurred() ? -1 : 0;
}

static int send_some(PyObject *list, Py_ssize_t at)
{
    Write writes[AT_ONCE];
    Py_ssize_t count = 0;
    for (; count < AT_ONCE && at + count < PyTuple_GET_SIZE(list); count++) {
        if (read_write(PyTuple_GET_ITEM(list, at + count), &writes[count]) < 0)
            return -1;
    }
#ifdef IORING_SETUP_SUBMIT_ALL
    int has_ring = ring.file >= 0 && !ring.is_used; /* another loop's thread may use it */
    if (has_ring)
        ring.is_used = 1;
#endif
    Py_BEGIN_ALLOW_THREADS
#ifdef IORING_SETUP_SUBMIT_ALL
    if (has_ring)
        send_by_ring(writes, count);
#endif
    send_in_turn(writes, count);
    Py_END_ALLOW_THREADS
#ifdef IORING_SETUP_SUBMIT_ALL
    if (has_ring)
        ring.is_used = 0;
#endif
    tell_unsent(writes, count);
    return 0;
}

static PyObject *send_each(PyObject *Py_UNUSED(module), PyObject *writes)
{
    PyObject *list = PySequence_Tuple(writes); /* nobody else's: it keeps the writers and the frames */
    if (list == NULL)
        return NULL;
    int failed = 0;
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(list) && !failed; at += AT_ONCE)
        failed = send_some(list, at);
    Py_DECREF(list);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------ the module */

static PyMethodDef functions[] = {
    {"send_each", send_each, METH_O, "Sends frames to their writers, in order."},
    {"open_ring", open_ring, METH_NOARGS, "Has `send_each` use io_uring; returns whether the kernel lets it."},
    {"close_ring", close_ring, METH_NOARGS, "Has `send_each` use `send` alone."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "web._accelerator",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__accelerator(void)
{
    ready_file = PyUnicode_InternFromString("ready_file");
    write_ = PyUnicode_InternFromString("write");
    keep_rest = PyUnicode_InternFromString("keep_rest");
    close_ = PyUnicode_InternFromString("close");
    if (ready_file == NULL || write_ == NULL || keep_rest == NULL || close_ == NULL)
        return NULL;
#ifdef IORING_SETUP_SUBMIT_ALL
    if (pthread_atfork(NULL, NULL, forget_ring) != 0)
        return PyErr_NoMemory();
#endif
    return PyModule_Create(&module);
}
