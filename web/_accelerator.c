/* The accelerator: C in the place of what Python does once for each write and for each message.
 *
 * `send_each` and `messages` have functions of the same names in Python, web/io/send_batch.py and web/io/rfc6455.py,
 * which do the same; web/accelerator.py picks one of them, and the tests of these modules run on both.
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

static PyObject *ready_file, *write_, *keep_rest, *close_;               /* of a writer */
static PyObject *data_, *at_, *limit_, *opcode_, *text_, *messages_; /* of a reader of frames */
static PyObject *python, *nothing, *zero;

/* ------------------------------------------------------------ io_uring: many sends in one system call */

#ifdef IORING_SETUP_SUBMIT_ALL

enum { RING_PAYS = 4 }; /* fewer sends take less without it: 1 takes 1.1 of the time, 5 take 0.92, 64 take 0.8 */

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
    ring.is_used = 0;
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
        if (syscall(__NR_io_uring_enter, ring.file, 0, left, IORING_ENTER_GETEVENTS, NULL, 0) < 0 && errno != EINTR &&
            errno != EAGAIN && errno != EBUSY)
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

/* ------------------------------------------------------------ reading */

typedef struct {
    PyObject_HEAD
    PyObject *reader; /* NULL at the end */
} Messages;

enum { FINAL_TEXT = 0x81, MASKED = 0x80, LENGTH = 0x7f, HEAD = 6, LONG_HEAD = 8 };

static PyObject *unmasked(const unsigned char *from, Py_ssize_t size, int *is_ascii)
{
    PyObject *payload = PyBytes_FromStringAndSize(NULL, size);
    if (payload == NULL)
        return NULL;
    unsigned char *to = (unsigned char *)PyBytes_AS_STRING(payload);
    const unsigned char *mask = from - 4;
    uint64_t wide, word, all = 0;
    memcpy(&wide, mask, 4);
    memcpy((char *)&wide + 4, mask, 4);
    Py_ssize_t at = 0;
    for (; at + 8 <= size; at += 8) {
        memcpy(&word, from + at, 8);
        word ^= wide;
        all |= word;
        memcpy(to + at, &word, 8);
    }
    for (; at < size; at++) {
        to[at] = from[at] ^ mask[at % 4];
        all |= to[at];
    }
    *is_ascii = (all & 0x8080808080808080u) == 0;
    return payload;
}

/* Returns the payload of the frame at `*at` if that is a whole text message, else NULL; it may set an exception. */
static PyObject *cut_text(PyObject *data, Py_ssize_t *at, Py_ssize_t limit)
{
    const unsigned char *bytes = (const unsigned char *)PyBytes_AS_STRING(data) + *at;
    Py_ssize_t left = PyBytes_GET_SIZE(data) - *at, start = HEAD;
    if (left < HEAD || bytes[0] != FINAL_TEXT || bytes[1] < MASKED)
        return NULL;
    Py_ssize_t length = bytes[1] & LENGTH;
    if (length == 126) {
        start = LONG_HEAD;
        if (left < LONG_HEAD)
            return NULL;
        length = bytes[2] << 8 | bytes[3];
    }
    else if (length == 127)
        return NULL;
    if (length > limit || length > left - start)
        return NULL;
    int is_ascii;
    PyObject *payload = unmasked(bytes + start, length, &is_ascii);
    if (payload != NULL && !is_ascii) {
        PyObject *decoded = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(payload), length, NULL);
        if (decoded == NULL) {
            PyErr_Clear(); /* Python says what is wrong */
            Py_CLEAR(payload);
        }
        Py_XDECREF(decoded);
    }
    *at += start + length;
    return payload;
}

static int get_number(PyObject *reader, PyObject *name, Py_ssize_t *number)
{
    PyObject *value = PyObject_GetAttr(reader, name);
    if (value == NULL)
        return -1;
    *number = PyLong_AsSsize_t(value);
    Py_DECREF(value);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

static int set_number(PyObject *reader, PyObject *name, Py_ssize_t number)
{
    PyObject *value = PyLong_FromSsize_t(number);
    int failed = value == NULL ? -1 : PyObject_SetAttr(reader, name, value);
    Py_XDECREF(value);
    return failed;
}

/* Takes a text message of one frame, by far the most frequent case, or finds that nothing is left: then it returns 1,
 * and NULL as the message. Returns 0 for anything else, and -1 with an exception. */
static int take_text(PyObject *reader, PyObject **message)
{
    Py_ssize_t at, limit;
    int taken = -1;
    PyObject *payload = NULL, *text = NULL, *opcode = PyObject_GetAttr(reader, opcode_);
    PyObject *data = PyObject_GetAttr(reader, data_);
    *message = NULL;
    if (opcode == NULL || data == NULL || get_number(reader, at_, &at) < 0 || get_number(reader, limit_, &limit) < 0)
        goto end;
    taken = 0;
    if (opcode != Py_None || !PyBytes_CheckExact(data) || at < 0 || at > PyBytes_GET_SIZE(data))
        goto end;
    if (at == PyBytes_GET_SIZE(data)) {
        taken = PyObject_SetAttr(reader, data_, nothing) < 0 || PyObject_SetAttr(reader, at_, zero) < 0 ? -1 : 1;
        goto end;
    }
    payload = cut_text(data, &at, limit);
    if (payload == NULL) {
        taken = PyErr_Occurred() ? -1 : 0;
        goto end;
    }
    taken = -1;
    text = PyObject_GetAttr(reader, text_);
    if (text != NULL && set_number(reader, at_, at) == 0)
        *message = PyTuple_Pack(2, text, payload);
    if (*message != NULL)
        taken = 1;
end:
    Py_XDECREF(text);
    Py_XDECREF(payload);
    Py_XDECREF(opcode);
    Py_XDECREF(data);
    return taken;
}

/* What is no text message of one frame is Python's: it takes up wherever the reader is. */
static PyObject *take_other(PyObject *reader)
{
    PyObject *function = PyDict_GetItemWithError(python, messages_);
    if (function == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_LookupError, "expected `messages` in Python");
        return NULL;
    }
    PyObject *iterator = PyObject_CallOneArg(function, reader);
    if (iterator == NULL)
        return NULL;
    PyObject *message = PyIter_Next(iterator);
    Py_DECREF(iterator);
    return message;
}

static PyObject *messages_next(Messages *self)
{
    PyObject *message = NULL;
    if (self->reader == NULL)
        return NULL;
    if (take_text(self->reader, &message) == 0)
        message = take_other(self->reader);
    if (message == NULL)
        Py_CLEAR(self->reader);
    return message;
}

static int messages_traverse(Messages *self, visitproc visit, void *arg)
{
    Py_VISIT(self->reader);
    return 0;
}

static int messages_clear(Messages *self)
{
    Py_CLEAR(self->reader);
    return 0;
}

static void messages_dealloc(Messages *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(self->reader);
    PyObject_GC_Del(self);
}

static PyTypeObject MessagesType = {
    .ob_base = PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "web._accelerator.Messages",
    .tp_basicsize = sizeof(Messages),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = (destructor)messages_dealloc,
    .tp_traverse = (traverseproc)messages_traverse,
    .tp_clear = (inquiry)messages_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)messages_next,
};

static PyObject *messages(PyObject *Py_UNUSED(module), PyObject *reader)
{
    Messages *self = PyObject_GC_New(Messages, &MessagesType);
    if (self == NULL)
        return NULL;
    self->reader = Py_NewRef(reader);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* ------------------------------------------------------------ the module */

static PyMethodDef functions[] = {
    {"send_each", send_each, METH_O, "Sends frames to their writers, in order."},
    {"messages", messages, METH_O, "Iterates over the messages that a reader of frames has whole."},
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

static const struct {
    PyObject **name;
    const char *text;
} names[] = {
    {&ready_file, "ready_file"}, {&write_, "write"}, {&keep_rest, "keep_rest"}, {&close_, "close"},
    {&data_, "_data"},           {&at_, "_at"},      {&limit_, "_limit"},       {&opcode_, "_opcode"},
    {&text_, "TEXT"},            {&messages_, "messages"},
};

PyMODINIT_FUNC PyInit__accelerator(void)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *names[i].name = PyUnicode_InternFromString(names[i].text);
        if (*names[i].name == NULL)
            return NULL;
    }
    nothing = PyBytes_FromStringAndSize(NULL, 0);
    zero = PyLong_FromLong(0);
    python = PyDict_New();
    if (nothing == NULL || zero == NULL || python == NULL || PyType_Ready(&MessagesType) < 0)
        return NULL;
#ifdef IORING_SETUP_SUBMIT_ALL
    if (pthread_atfork(NULL, NULL, forget_ring) != 0)
        return PyErr_NoMemory();
#endif
    PyObject *made = PyModule_Create(&module);
    if (made != NULL && PyModule_AddObjectRef(made, "PYTHON", python) < 0)
        Py_CLEAR(made);
    return made;
}
