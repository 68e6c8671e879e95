/* SPDX-License-Identifier: MIT */
/*
 * Records that wait to be written elsewhere, several of them at once: a file of lanes, one for each
 * worker of a site on one host. What is in it outlives the process however that ends: whoever takes
 * the lane next finds it, and a new worker looks for lanes that were left. It does not outlive the
 * machine, where the file is in memory.
 *
 * A lane is records one behind the other, each its length (4 bytes of the machine's own order) and
 * its bytes, then zeros. What could not be finished by a process that was killed is no record or
 * one whose bytes are not all there: its reader must be able to tell.
 */
#ifndef GG_BASE_JOURNAL_H
#define GG_BASE_JOURNAL_H

#include "gg/base/arena.h"
#include "gg/base/hostfile.h"
#include "gg/base/str.h"

#define GG_JOURNAL_LANES      4096
#define GG_JOURNAL_LANE_BYTES 16384
/* So many records, or the first of them so old: then it is time to write them. */
#define GG_JOURNAL_COUNT  32
#define GG_JOURNAL_AGE_MS 1000

struct gg_journal;

/* The file, as of gg_hostfile_open. Before a fork: children share it, and each joins by itself. */
GG_MUST bool gg_journal_open(const char *path, enum gg_hostfile_how how, struct gg_journal **out,
                             struct gg_err *err);
void gg_journal_close(struct gg_journal *j); /* or NULL */

/* Takes a lane for as long as the process lives. Where all are taken, nothing can be added. */
void gg_journal_join(struct gg_journal *j);

/*
 * Goes over to a lane in which somebody left records and which nobody holds; false: there is none,
 * or one's own has records yet.
 */
bool gg_journal_move(struct gg_journal *j);

/* False: there is no room for it, or no lane. */
GG_MUST bool gg_journal_add(struct gg_journal *j, struct gg_str record);

bool gg_journal_is_empty(const struct gg_journal *j); /* also without a lane */
bool gg_journal_is_due(const struct gg_journal *j);

/* Not due before GG_JOURNAL_AGE_MS from now: they could not be written. */
void gg_journal_put_off(struct gg_journal *j);

/* What is in one's lane; each call of gg_journal_take cuts the first record off. */
GG_MUST bool gg_journal_read(struct gg_journal *j, struct gg_arena *a, struct gg_str *records,
                             struct gg_err *err);
bool gg_journal_take(struct gg_str *records, struct gg_str *record);

/* Empties one's lane; its bytes are overwritten. */
void gg_journal_clear(struct gg_journal *j);

#endif
