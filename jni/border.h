/*
 * What crosses between Java and C in arrays of long: the place of each field, by name. The Java
 * side has the same names in the same order (SlotReport, ChunkSize, ChunkView, ReaderMetric,
 * WriterMetric, PayloadView); BorderTest compares them with this file, and the loader compares the
 * lengths with those of the library that it has loaded. A field is added here, there, and where it
 * is filled.
 *
 * Raise BORDER_VERSION when the meaning of what crosses changes and no length does.
 */
#ifndef BORDER_H
#define BORDER_H

#include <pubsub/chunk.h>

#define BORDER_VERSION 1

/* One epoch, of NativeReader.report. */
enum border_report {
  BORDER_REPORT_SLOT,
  BORDER_REPORT_EPOCH,
  BORDER_REPORT_STATE,
  BORDER_REPORT_SEALED,
  BORDER_REPORT_SETTLED,
  BORDER_REPORT_SEALED_ROWS,
  BORDER_REPORT_SEALED_BYTES,
  BORDER_REPORT_BACKLOG_ROWS,
  BORDER_REPORT_BACKLOG_BYTES,
  BORDER_REPORT_OLDEST_US,
  BORDER_REPORT_LONGS,
};

/* One chunk, of NativeReader.chunkSizes. */
enum border_size {
  BORDER_SIZE_ROWS,
  BORDER_SIZE_BYTES,
  BORDER_SIZE_OLDEST_PUBLISH_US,
  BORDER_SIZE_LONGS,
};

/* One chunk's columns; then address and length of each buffer, by enum pubsub_buffer. */
enum border_view {
  BORDER_VIEW_COLUMNS,
  BORDER_VIEW_ROWS,
  BORDER_VIEW_ATTRIBUTE_ENTRIES,
  BORDER_VIEW_ORDERING_KEY_NULLS,
  BORDER_VIEW_DELIVERY_ATTEMPT_NULLS,
  BORDER_VIEW_BYTES,
  BORDER_VIEW_BUFFERS,
  BORDER_VIEW_LONGS = BORDER_VIEW_BUFFERS + 2 * PUBSUB_BUFFER_COUNT,
};

/* Of NativeReader.metrics. */
enum border_reader_metric {
  BORDER_READER_RECEIVED_ROWS,
  BORDER_READER_RECEIVED_BYTES,
  BORDER_READER_BACKLOG_ROWS,
  BORDER_READER_RESERVOIR_BYTES,
  BORDER_READER_RESERVOIR_PEAK_BYTES,
  BORDER_READER_ACKNOWLEDGED_ROWS,
  BORDER_READER_GIVEN_BACK_ROWS,
  BORDER_READER_REDELIVERED_ROWS,
  BORDER_READER_EXPIRED_ROWS,
  BORDER_READER_ACK_REQUESTS,
  BORDER_READER_EXTEND_REQUESTS,
  BORDER_READER_FAILED_REQUESTS,
  BORDER_READER_STREAM_REOPENS,
  BORDER_READER_ACK_LATENCY_US_SUM,
  BORDER_READER_ACK_LATENCY_COUNT,
  BORDER_READER_FAILED_ROWS,
  BORDER_READER_RETRIED_ROWS,
  BORDER_READER_FAILED_RECEIPT_ROWS,
  BORDER_READER_LONGS,
};

/* Of NativeWriter.metrics. */
enum border_writer_metric {
  BORDER_WRITER_PUBLISHED_ROWS,
  BORDER_WRITER_PUBLISHED_BYTES,
  BORDER_WRITER_REQUESTS,
  BORDER_WRITER_RETRIES,
  BORDER_WRITER_IN_FLIGHT_BYTES,
  BORDER_WRITER_THROTTLED_US,
  BORDER_WRITER_LONGS,
};

/* One column of a payload, of NativePayload.columns. */
enum border_payload {
  BORDER_PAYLOAD_ROWS,
  BORDER_PAYLOAD_NULLS,
  BORDER_PAYLOAD_VALIDITY,
  BORDER_PAYLOAD_OFFSETS,
  BORDER_PAYLOAD_DATA,
  BORDER_PAYLOAD_LONGS,
};

/* The lengths in the order of the Java enum Border. */
#define BORDER_LENGTHS                                                                             \
  {                                                                                                \
    BORDER_VERSION, BORDER_REPORT_LONGS, BORDER_SIZE_LONGS, BORDER_VIEW_LONGS,                     \
        BORDER_READER_LONGS, BORDER_WRITER_LONGS, BORDER_PAYLOAD_LONGS                             \
  }

#endif
