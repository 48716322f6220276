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

# What snmpd may show of ours: snmpd.conf includes it.
$(MIB_DIR)/view.conf: mibs/module.mk
	@mkdir -p $(dir $@)
	@printf 'view zimbra included .1.3.6.1.4.1.%s\n' $(ENTERPRISE) > $@

PROGRAMS += $(MIB_DIR)/view.conf
$(eval $(call install_file,$(MIB_DIR)/view.conf,share/snmp,0644))
