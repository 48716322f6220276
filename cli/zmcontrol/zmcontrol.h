/* What the files of zmcontrol share. */
#ifndef MAILSTEAD_ZMCONTROL_H
#define MAILSTEAD_ZMCONTROL_H

#include <glib.h>
#include "lib/localconfig/localconfig.h"
#include "lib/service/service.h"

typedef struct {
    localconfig *lc;
    service_bus *bus;
    GPtrArray *services;    /* of const service_def, the enabled ones, by start order */
    const char *host;       /* this host's name in the directory; borrowed from lc or own_name */
    char *own_name;
} zmcontrol;

/* Each prints its part of the report and returns an exit status. */
int zmcontrol_status(zmcontrol *z);
int zmcontrol_start(zmcontrol *z);
int zmcontrol_stop(zmcontrol *z);
int zmcontrol_restart(zmcontrol *z);

/* Prints a warning for each of the host's places with too little free space. */
void disk_warn(localconfig *lc);

/* "\t\t" before every line of TEXT. */
void print_detail(const char *text);

#endif
