# The MIB modules, and the enterprise number for the code. This is the one place
# that knows the number: 32473 is the documentation's (RFC 5612) until one is
# registered.
ENTERPRISE := 32473
MIB_DIR := $(O)/mibs
MIBS := $(patsubst mibs/%.in,$(MIB_DIR)/%,$(wildcard mibs/*.in))

$(MIB_DIR)/%-MIB: mibs/%-MIB.in mibs/module.mk
	@mkdir -p $(dir $@)
	@sed 's/@ENTERPRISE@/$(ENTERPRISE)/g' $< > $@

$(MIB_DIR)/enterprise.h: mibs/module.mk
	@mkdir -p $(dir $@)
	@printf '#define MAILSTEAD_ENTERPRISE %s\n' $(ENTERPRISE) > $@

PROGRAMS += $(MIBS)
$(foreach m,$(MIBS),$(eval $(call install_file,$(m),share/snmp/mibs,0644)))
