snmp_tested := $(addprefix agents/snmp/,mib.c tree.c record.c packet.c showq.c outbox.c config.c disks.c facts.c samples.c standard.c)
$(call obj,tests/unit/agents/snmp/test-snmp.c tests/unit/agents/snmp/test-mib.c): $(O)/mibs/enterprise.h
$(eval $(call unit_test,snmp,tests/unit/agents/snmp/test-snmp.c $(snmp_tested),alert service journal,libsystemd,-lm))
# The tables against the text of the modules, as net-snmp reads it.
$(O)/unit-tests/snmp-mib: $(addprefix $(O)/mibs/,MAILSTEAD-BASE-MIB MAILSTEAD-MIB)
$(call obj,tests/unit/agents/snmp/test-mib.c): BASE_CFLAGS += -DMIB_DIR='"$(O)/mibs"'
$(eval $(call unit_test,snmp-mib,tests/unit/agents/snmp/test-mib.c $(addprefix agents/snmp/,mib.c tree.c record.c varbind.c),alert,,-lnetsnmp -lm))
$(eval $(call fuzzer,snmp,tests/fuzz/fuzz-snmp.c $(addprefix agents/snmp/,packet.c showq.c mib.c tree.c record.c) $(alert_sources)))
build/fuzz/snmp: build/release/mibs/enterprise.h
