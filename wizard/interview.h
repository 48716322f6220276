/* The way through the wizard: pages, review, applying, whichever the front end. */
#ifndef MAILSTEAD_WIZARD_INTERVIEW_H
#define MAILSTEAD_WIZARD_INTERVIEW_H

#include "wizard/front.h"

typedef enum { INTERVIEW_SET_UP, INTERVIEW_LEFT, INTERVIEW_FAILED } interview_result;

/* Asks and sets up. LEFT: given up before it was applied, or after a step that
 * failed; the answers given are kept at DRAFT_PATH. FAILED: ERROR says why nothing
 * could be asked. The terminal is as it was. */
interview_result interview(const front *f, GError **error);

#endif
