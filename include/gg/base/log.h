/* SPDX-License-Identifier: MIT */
/*
 * One line per event: `time=… level=… event=… pid=… request_id=… key=value…`, or a JSON object of
 * the same members; see logline.h for what a format may have and how values are kept in their
 * place. Secrets have a type (struct gg_secret) that no format takes.
 */
#ifndef GG_BASE_LOG_H
#define GG_BASE_LOG_H

#include "gg/base/logline.h"

enum gg_level { GG_DEBUG, GG_INFO, GG_WARNING, GG_ERROR };

/*
 * target: "stderr", "syslog" or "file:PATH". False, and the old target stays, when PATH cannot be
 * opened. A file is looked for again at most once a second: when its name leads to another file, or
 * to none, as after a rotation, it is opened anew.
 */
GG_MUST bool gg_log_open(const char *target, enum gg_level least, struct gg_err *err);

/* From here on no file is made: for whoever may not be its owner. One that is not there does not
 * open. */
void gg_log_be_guest(void);

/* Opens the file of the target anew, now. One that cannot be opened is told in the old one. */
void gg_log_reopen(void);

void gg_log_set_form(enum gg_logline_form form);

/* The request id that the lines carry until it is set again; "" for none. Copied. */
void gg_log_set_request(const char *request_id);

/*
 * How lines speak of users. name writes what stands for a subject, with the key given here, of
 * which a copy is kept; false: there is none, and "-" stands there. NULL, as at the start: always.
 */
#define GG_LOG_KEY_BYTES     32
#define GG_LOG_SUBJECT_BYTES 64
struct gg_log_subject {
    char text[GG_LOG_SUBJECT_BYTES];
};
typedef bool gg_log_name_fn(const unsigned char key[GG_LOG_KEY_BYTES], struct gg_str subject,
                            struct gg_log_subject *out);
void gg_log_set_subjects(gg_log_name_fn *name, const unsigned char key[GG_LOG_KEY_BYTES]);

/* For a subject inside of other text, such as an error's. The value of a key `subject` of gg_log
 * becomes this by itself. */
struct gg_log_subject gg_log_subject(struct gg_str subject);

void gg_log(enum gg_level level, const char *event, const char *fmt, ...) GG_PRINTF(3, 4);

#endif
