/*
 * lvsreal.so: the peer that our agent in the box is measured against, the same
 * table inside of snmpd. LVSREAL_ROWS in snmpd's environment says how many rows.
 *
 * cc -O2 -shared -fPIC -o lvsreal.so lvsreal.c; snmpd.conf: dlmod lvsreal lvsreal.so
 */
#include "realtable.h"

/* What snmpd calls when it has loaded the module. */
void init_lvsreal(void)
{
	const char *rows = getenv("LVSREAL_ROWS");

	if (rows)
		serve(atol(rows));
}
