#include "http/http1.h"

#include "base/alloc.h"
#include "base/container.h"
#include "http/head.h"
#include "net/loop.h"
#include <llhttp.h>
#include <stdio.h>

#define MOST_CONNECTIONS 4096
#define MOST_INPUT_BYTES ((size_t)1 << 20)  /* of pipelined requests, unread */
#define MOST_OUTPUT_BYTES ((size_t)1 << 20) /* untaken, before another request is begun */
#define MOST_WIRE_BYTES ((size_t)64 << 20)  /* of a request, chunk heads and all */
#define SECOND_US UINT64_C(1000000)
#define IDLE_US (120 * SECOND_US)
#define HEAD_US (10 * SECOND_US)
#define BODY_US (20 * SECOND_US)
#define BODY_STEP_BYTES ((size_t)64 << 10)
#define TAKE_US (30 * SECOND_US)
#define LAST_US (2 * SECOND_US)

enum phase { IDLE, HEAD, BODY, SERVING, LAST };

struct http1 {
  struct pubsub_list link; /* in site.connections; first */
  struct pubsub_loop *loop;
  struct pubsub_bytestream *stream;
  struct exchange exchange;
  llhttp_t parser;
  enum phase phase;
  struct pubsub_buf input;  /* not parsed yet */
  struct pubsub_buf output; /* not taken yet, from `sent` on */
  size_t sent;
  struct head head; /* being read */
  int refusal;      /* a status, where parsing was stopped for it; 0 */
  size_t wire_bytes, step_bytes;
  bool keep_alive; /* of the request that is served */
  bool ended;      /* the peer has said all */
  bool dead;       /* to be freed */
  bool shut;       /* our side was ended */
  bool more;       /* the last read filled its buffer: what TLS holds shows in no event */
  struct pubsub_timer timer;
  struct pubsub_timer read_more;
  struct pubsub_deferred turn;
};

static struct http1 *of(struct exchange *exchange) {
  return PUBSUB_CONTAINER_OF(exchange, struct http1, exchange);
}

static void set_timer(struct http1 *http1, uint64_t us) {
  pubsub_loop_timer_set(http1->loop, &http1->timer, pubsub_loop_now_us(http1->loop) + us);
}

static void die(struct http1 *http1) {
  http1->dead = true;
  pubsub_loop_defer(http1->loop, &http1->turn);
}

/* ---- output ---- */

static size_t untaken(const struct http1 *http1) {
  return http1->output.len - http1->sent;
}

static bool keeps_alive(const struct http1 *http1) {
  return http1->keep_alive && http1->phase != LAST && (!http1->ended || http1->input.len > 0);
}

/* Without memory the connection ends: half an answer would be worse. */
static void put(struct http1 *http1, const void *bytes, size_t len) {
  if (pubsub_buf_append(&http1->output, bytes, len) != PUBSUB_OK) die(http1);
}

static void put_response(struct http1 *http1, const struct http_response *response, bool close) {
  struct pubsub_buf head = {0};
  bool bare = http_field_is(&http1->exchange.request, HTTP_METHOD, "HEAD");
  if (head_write(&head, response, close) == PUBSUB_OK) {
    put(http1, head.ptr, head.len);
    if (!bare) put(http1, response->body.ptr, response->body.len);
  } else {
    die(http1);
  }
  pubsub_buf_clear(&head);
}

static void respond(struct exchange *exchange, struct http_response *take_response) {
  struct http1 *http1 = of(exchange);
  put_response(http1, take_response, !keeps_alive(http1));
  pubsub_buf_clear(&take_response->body);
  pubsub_loop_defer(http1->loop, &http1->turn);
}

static void cut(struct exchange *exchange) {
  die(of(exchange));
}

static void farewell(struct exchange *exchange) {
  of(exchange)->keep_alive = false;
}

static const struct exchange_ops ops = {respond, cut, cut, farewell};

/* What is wrong ends the connection: where the next request begins is not known. */
static void refuse(struct http1 *http1, struct http_response *take_response) {
  if (http1->phase == LAST) {
    pubsub_buf_clear(&take_response->body);
    return;
  }
  put_response(http1, take_response, true);
  pubsub_buf_clear(&take_response->body);
  http1->phase = LAST;
  set_timer(http1, LAST_US);
  pubsub_loop_defer(http1->loop, &http1->turn);
}

static void refuse_status(struct http1 *http1, int status) {
  struct http_response response = http_text(status, http_reason(status));
  refuse(http1, &response);
}

/* ---- the parser's callbacks ---- */

static struct http1 *of_parser(llhttp_t *parser) {
  return PUBSUB_CONTAINER_OF(parser, struct http1, parser);
}

/* Stops the parser: the status is to be answered. */
static int stop(struct http1 *http1, int status) {
  http1->refusal = status;
  return HPE_USER;
}

static int on_method(llhttp_t *parser, const char *at, size_t len) {
  struct http1 *http1 = of_parser(parser);
  int status = head_method(&http1->head, &http1->exchange.request, pubsub_view_of(at, len));
  return status ? stop(http1, status) : 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len) {
  struct http1 *http1 = of_parser(parser);
  int status = head_target(&http1->head, &http1->exchange.request, pubsub_view_of(at, len));
  return status ? stop(http1, status) : 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t len) {
  struct http1 *http1 = of_parser(parser);
  int status = head_name(&http1->head, pubsub_view_of(at, len));
  return status ? stop(http1, status) : 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len) {
  struct http1 *http1 = of_parser(parser);
  /* What follows the body has no say in what was decided before it. */
  bool trailer = http1->phase == BODY;
  int status = head_value(&http1->head, &http1->exchange.request, pubsub_view_of(at, len), trailer);
  return status ? stop(http1, status) : 0;
}

static int on_value_end(llhttp_t *parser) {
  struct http1 *http1 = of_parser(parser);
  int status = head_value_end(&http1->head, &http1->exchange.request, http1->phase == BODY);
  return status ? stop(http1, status) : 0;
}

static int on_head_end(llhttp_t *parser) {
  struct http1 *http1 = of_parser(parser);
  struct http_request *request = &http1->exchange.request;
  struct site *site = http1->exchange.site;
  struct http_response refusal = {0};
  int status = head_end(request, parser->http_major, parser->http_minor);
  if (status) return stop(http1, status);
  parser->upgrade = 0; /* an invitation to another protocol may be left aside */
  if (parser->content_length > HTTP_MAX_BODY_BYTES) return stop(http1, 413);
  if (!site->admit(site->user, request, &refusal)) {
    refuse(http1, &refusal);
    return HPE_USER;
  }
  http1->phase = BODY;
  http1->step_bytes = 0;
  set_timer(http1, BODY_US);
  if (parser->http_minor > 0 && request->fields[HTTP_EXPECT].times > 0)
    put(http1, "HTTP/1.1 100 Continue\r\n\r\n", 25);
  return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len) {
  struct http1 *http1 = of_parser(parser);
  int status = exchange_body_append(&http1->exchange, (const uint8_t *)at, len);
  return status ? stop(http1, status) : 0;
}

static int on_message_end(llhttp_t *parser) {
  struct http1 *http1 = of_parser(parser);
  http1->phase = SERVING;
  http1->keep_alive = llhttp_should_keep_alive(parser) && parser->http_minor == 1;
  pubsub_loop_timer_cancel(http1->loop, &http1->timer);
  return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_method = on_method,
                                           .on_url = on_url,
                                           .on_header_field = on_name,
                                           .on_header_value = on_value,
                                           .on_header_value_complete = on_value_end,
                                           .on_headers_complete = on_head_end,
                                           .on_body = on_body,
                                           .on_message_complete = on_message_end};

/* ---- input ---- */

static void drop_input(struct http1 *http1, size_t len) {
  http1->input.len -= len;
  memmove(http1->input.ptr, http1->input.ptr + len, http1->input.len);
}

static void begin(struct http1 *http1) {
  http1->phase = HEAD;
  http1->wire_bytes = 0;
  http1->refusal = 0;
  http1->head.bytes = http1->head.count = 0;
  set_timer(http1, HEAD_US);
}

static bool is_malformed(const struct http1 *http1, llhttp_errno_t problem) {
  return problem != HPE_OK && problem != HPE_PAUSED && http1->phase != LAST;
}

/* One request, or a part of it. */
static void parse(struct http1 *http1) {
  const char *start = (const char *)http1->input.ptr;
  size_t len = http1->input.len;
  if (http1->phase == IDLE) begin(http1);
  llhttp_errno_t problem = llhttp_execute(&http1->parser, start, len);
  if (problem == HPE_INVALID_METHOD) {
    http1->phase = LAST; /* it may speak anything: an answer of HTTP would be noise to it */
    set_timer(http1, LAST_US);
  } else if (is_malformed(http1, problem)) {
    refuse_status(http1, http1->refusal ? http1->refusal : head_status_of((int)problem));
  }
  if (problem == HPE_PAUSED) {
    len = (size_t)(llhttp_get_error_pos(&http1->parser) - start);
    llhttp_resume(&http1->parser);
  }
  http1->wire_bytes += len;
  drop_input(http1, http1->phase == LAST ? http1->input.len : len);
  if (http1->wire_bytes > MOST_WIRE_BYTES && http1->phase == BODY) refuse_status(http1, 413);
}

static void advance(struct http1 *http1) {
  struct site *site = http1->exchange.site;
  while (http1->input.len > 0 && http1->phase < SERVING && !http1->dead &&
         untaken(http1) < MOST_OUTPUT_BYTES) {
    parse(http1);
    if (http1->phase == SERVING) site->serve(site->user, &http1->exchange);
  }
}

static void update_interest(struct http1 *http1) {
  unsigned interest = 0;
  bool reads = !http1->ended && http1->input.len < MOST_INPUT_BYTES;
  if (reads) interest |= PUBSUB_IO_READ;
  if (reads && http1->more) {
    pubsub_loop_timer_set(http1->loop, &http1->read_more, pubsub_loop_now_us(http1->loop));
  }
  if (untaken(http1) > 0) interest |= PUBSUB_IO_WRITE;
  http1->stream->ops->set_interest(http1->stream, interest);
}

/* How long the peer may do nothing now. */
static void wait_on(struct http1 *http1) {
  if (http1->phase == HEAD || http1->phase == BODY) return; /* they have their own time */
  if (untaken(http1) > 0) {
    set_timer(http1, TAKE_US);
  } else if (http1->phase == SERVING) {
    pubsub_loop_timer_cancel(http1->loop, &http1->timer);
  } else {
    set_timer(http1, http1->phase == IDLE ? IDLE_US : LAST_US);
  }
}

static void flush(struct http1 *http1) {
  if (untaken(http1) == 0) return;
  struct iovec part = {http1->output.ptr + http1->sent, untaken(http1)};
  ssize_t put = http1->stream->ops->writev(http1->stream, &part, 1, NULL);
  if (put == PUBSUB_BYTESTREAM_AGAIN) return;
  if (put <= 0) {
    http1->dead = true;
    return;
  }
  http1->sent += (size_t)put;
  if (untaken(http1) == 0) {
    http1->sent = 0;
    pubsub_buf_clear(&http1->output);
  }
  wait_on(http1);
}

/* The answer is in the output: the next request, or the end. */
static void conclude(struct http1 *http1) {
  bool keep = keeps_alive(http1);
  exchange_end(&http1->exchange);
  http1->exchange.answered = false;
  http1->phase = keep ? IDLE : LAST;
  set_timer(http1, keep ? IDLE_US : LAST_US);
}

static void free_http1(struct http1 *http1) {
  exchange_end(&http1->exchange);
  pubsub_loop_timer_cancel(http1->loop, &http1->timer);
  pubsub_loop_timer_cancel(http1->loop, &http1->read_more);
  pubsub_loop_defer_cancel(http1->loop, &http1->turn);
  pubsub_list_remove(&http1->link);
  http1->exchange.site->connection_count--;
  http1->stream->ops->destroy(http1->stream);
  head_clear(&http1->head);
  pubsub_buf_clear(&http1->input);
  pubsub_buf_clear(&http1->output);
  pubsub_free(http1);
}

/* Whether there is nothing left to say. */
static bool is_over(const struct http1 *http1) {
  if (http1->dead) return true;
  if (untaken(http1) > 0) return false;
  return http1->ended && (http1->phase == LAST || http1->input.len == 0);
}

static void on_turn(struct pubsub_deferred *deferred) {
  struct http1 *http1 = PUBSUB_CONTAINER_OF(deferred, struct http1, turn);
  if (http1->phase == SERVING && http1->exchange.answered) conclude(http1);
  if (!http1->dead) flush(http1);
  if (!http1->dead) advance(http1);
  if (!http1->dead) flush(http1);
  if (is_over(http1)) {
    free_http1(http1);
    return;
  }
  if (http1->phase == LAST && untaken(http1) == 0 && !http1->shut) {
    http1->shut = true;
    http1->stream->ops->shutdown(http1->stream);
  }
  update_interest(http1);
}

static void note_progress(struct http1 *http1, size_t len) {
  http1->step_bytes += len;
  if (http1->phase != BODY || http1->step_bytes < BODY_STEP_BYTES) return;
  http1->step_bytes = 0;
  set_timer(http1, BODY_US);
}

static void read_some(struct http1 *http1) {
  uint8_t *buffer = pubsub_loop_scratch(http1->loop);
  ssize_t got =
      buffer ? http1->stream->ops->read(http1->stream, buffer, PUBSUB_LOOP_SCRATCH_BYTES, NULL)
             : PUBSUB_BYTESTREAM_ERROR;
  http1->more = got == (ssize_t)PUBSUB_LOOP_SCRATCH_BYTES;
  if (got == PUBSUB_BYTESTREAM_AGAIN) return;
  if (got == PUBSUB_BYTESTREAM_EOF) http1->ended = true;
  if (got == PUBSUB_BYTESTREAM_ERROR) http1->dead = true;
  if (got <= 0 || http1->phase == LAST) return;
  note_progress(http1, (size_t)got);
  if (pubsub_buf_append(&http1->input, buffer, (size_t)got) != PUBSUB_OK) http1->dead = true;
}

static void on_event(void *user, unsigned events) {
  struct http1 *http1 = user;
  if (http1->dead) return;
  if (events & PUBSUB_IO_READ && !http1->ended) read_some(http1);
  pubsub_loop_defer(http1->loop, &http1->turn);
}

static void on_read_more(struct pubsub_timer *timer) {
  on_event(PUBSUB_CONTAINER_OF(timer, struct http1, read_more), PUBSUB_IO_READ);
}

static void on_timer(struct pubsub_timer *timer) {
  struct http1 *http1 = PUBSUB_CONTAINER_OF(timer, struct http1, timer);
  if (http1->phase == HEAD || http1->phase == BODY) {
    refuse_status(http1, 408);
  } else {
    die(http1);
  }
}

/* ---- life ---- */

static void fill(struct http1 *http1, struct pubsub_loop *loop, struct site *site) {
  http1->loop = loop;
  http1->exchange.ops = &ops;
  http1->exchange.site = site;
  http1->turn.run = on_turn;
  http1->timer.run = on_timer;
  http1->read_more.run = on_read_more;
  http1->more = true;
  pubsub_list_init(&http1->turn.link);
  llhttp_init(&http1->parser, HTTP_REQUEST, &settings);
}

struct http1 *http1_new(struct pubsub_loop *loop, struct pubsub_bytestream *take_stream,
                        struct site *site, struct pubsub_view early) {
  struct http1 *http1 = pubsub_alloc_zero(1, sizeof *http1);
  if (!http1 || pubsub_buf_append(&http1->input, early.ptr, early.len) != PUBSUB_OK) {
    pubsub_free(http1);
    return NULL;
  }
  fill(http1, loop, site);
  http1->exchange.request.local = take_stream->local;
  http1->stream = take_stream;
  take_stream->on_event = on_event;
  take_stream->user = http1;
  pubsub_list_push_back(&site->connections, &http1->link);
  set_timer(http1, IDLE_US);
  if (++site->connection_count > MOST_CONNECTIONS) refuse_status(http1, 503);
  pubsub_loop_defer(loop, &http1->turn);
  return http1;
}

void http1_destroy(struct http1 *http1) {
  free_http1(http1);
}

void http1_end_all(struct site *site, bool kindly) {
  struct pubsub_list *link = site->connections.next;
  for (; link != &site->connections; link = link->next) {
    struct http1 *http1 = PUBSUB_CONTAINER_OF(link, struct http1, link);
    if (kindly && http1->phase != IDLE) {
      http1->keep_alive = false;
    } else {
      die(http1);
    }
  }
}
