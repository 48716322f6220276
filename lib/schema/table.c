/* The tables that schema/mkschema writes at build. */
#include "lib/schema/table.h"

const attr_def schema_table[] = {
#include "schema/attr-table.inc"
};
const size_t schema_table_n = G_N_ELEMENTS(schema_table);

const schema_alias schema_aliases[] = {
#include "schema/alias-table.inc"
};
const size_t schema_aliases_n = G_N_ELEMENTS(schema_aliases);
