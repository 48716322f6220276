/* The release that zmcontrol -v prints. */
#ifndef MAILSTEAD_VERSION_H
#define MAILSTEAD_VERSION_H

#define MAILSTEAD_RELEASE "0.1.0"
#define MAILSTEAD_SYSTEM "DEBIAN12_64"

#endif
