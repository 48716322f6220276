MIME_SOURCES := $(addprefix lib/mime/,parser.c header.c address.c date.c summary.c codec.c)
$(eval $(call concept,mime,$(MIME_SOURCES),,))
