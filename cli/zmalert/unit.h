/* Failures of units: what OnFailure= and OnSuccess= call. */
#ifndef MAILSTEAD_ZMALERT_UNIT_H
#define MAILSTEAD_ZMALERT_UNIT_H

/* Both take the unit's name and return an exit status. */
int unit_failed(int argc, char **argv);
int unit_ok(int argc, char **argv);

#endif
