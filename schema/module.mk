# mkschema is built for the machine that builds and run at once: what it writes
# is installed (LDIF) or compiled (the tables of lib/schema).
SCHEMA_TSV := schema/attributes.tsv schema/objectclasses.tsv schema/aliases.tsv
SCHEMA_LDIF := $(addprefix $(O)/schema/,zimbra.ldif amavis.ldif opendkim.ldif \
                 globalconfig.ldif cos-default.ldif cos-defaultexternal.ldif)
SCHEMA_INC := $(O)/schema/attr-table.inc $(O)/schema/alias-table.inc

$(eval $(call program,schema/mkschema,schema/mkschema.c schema/declarations.c schema/write-ldif.c schema/write-table.c,,,))

$(SCHEMA_LDIF) $(SCHEMA_INC) &: $(O)/schema/mkschema $(SCHEMA_TSV)
	@echo "  GEN  $(O)/schema"
	@$(O)/schema/mkschema schema $(O)/schema

$(O)/lib/schema/table.o: $(SCHEMA_INC)
PROGRAMS += $(SCHEMA_LDIF)
$(foreach f,$(SCHEMA_LDIF),$(eval $(call install_file,$(f),lib/schema,0644)))
$(eval $(call install_file,schema/slapd/config.ldif,lib/schema/slapd,0644))
$(eval $(call install_file,schema/slapd/tree.ldif,lib/schema/slapd,0644))
