/*
 * lvsRealTable of the LVS-MIB the way Net-SNMP's own examples build a table, with
 * a table helper over sorted rows (netsnmp_tdata), and the cells gosubagent
 * serves: all of them answer a walk with the same bytes.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <stdlib.h>

#define REALS_PER_SERVICE 10

static oid real_table[] = { 1, 3, 6, 1, 4, 1, 8225, 4711, 18 };

enum column {
	SERVICE_NUMBER = 1, SERVER_NUMBER, ADDR, PORT, METHOD, WEIGHT,
	CONNS, IN_PKTS, OUT_PKTS, IN_BYTES, OUT_BYTES,
	RATE_CPS, RATE_IN_PPS, RATE_OUT_PPS, RATE_IN_BPS, RATE_OUT_BPS
};

struct real {
	long service, server, port, method, weight;
	in_addr_t addr;
	u_long conns, in_pkts, out_pkts;
	struct counter64 in_bytes, out_bytes;
	u_long cps, in_pps, out_pps, in_bps, out_bps;
};

static struct counter64 counter64(unsigned long long n)
{
	struct counter64 c = { .high = n >> 32, .low = n & 0xffffffff };

	return c;
}

/* The same cells as gosubagent's snapshot() gives real server i. */
static struct real *real_server(long i)
{
	struct real *r = calloc(1, sizeof(*r));

	if (!r)
		exit(1);
	r->service = i / REALS_PER_SERVICE + 1;
	r->server = i % REALS_PER_SERVICE + 1;
	r->addr = htonl(10u << 24 | (unsigned)i);
	r->port = 80;
	r->method = 0;
	r->weight = i % 100 + 1;
	r->conns = 1000 * i + 7;
	r->in_pkts = 3000 * i + 21;
	r->out_pkts = 2000 * i + 14;
	r->in_bytes = counter64((1ull << 33) + 1500ull * i);
	r->out_bytes = counter64((1ull << 34) + 9000ull * i);
	r->cps = i % 1000;
	r->in_pps = i % 1000 * 30;
	r->out_pps = i % 1000 * 20;
	r->in_bps = i % 1000 * 1500;
	r->out_bps = i % 1000 * 9000;
	return r;
}

static int set(netsnmp_request_info *request, u_char type, const void *value, size_t size)
{
	return snmp_set_var_typed_value(request->requestvb, type, value, size);
}

static void answer(netsnmp_request_info *request)
{
	struct real *r = netsnmp_tdata_extract_entry(request);
	netsnmp_table_request_info *where = netsnmp_extract_table_info(request);

	if (!r || !where) {
		netsnmp_set_request_error(NULL, request, SNMP_NOSUCHINSTANCE);
		return;
	}
	switch (where->colnum) {
	case SERVICE_NUMBER: set(request, ASN_INTEGER, &r->service, sizeof(r->service)); break;
	case SERVER_NUMBER:  set(request, ASN_INTEGER, &r->server, sizeof(r->server)); break;
	case ADDR:           set(request, ASN_IPADDRESS, &r->addr, sizeof(r->addr)); break;
	case PORT:           set(request, ASN_INTEGER, &r->port, sizeof(r->port)); break;
	case METHOD:         set(request, ASN_INTEGER, &r->method, sizeof(r->method)); break;
	case WEIGHT:         set(request, ASN_INTEGER, &r->weight, sizeof(r->weight)); break;
	case CONNS:          set(request, ASN_COUNTER, &r->conns, sizeof(r->conns)); break;
	case IN_PKTS:        set(request, ASN_COUNTER, &r->in_pkts, sizeof(r->in_pkts)); break;
	case OUT_PKTS:       set(request, ASN_COUNTER, &r->out_pkts, sizeof(r->out_pkts)); break;
	case IN_BYTES:       set(request, ASN_COUNTER64, &r->in_bytes, sizeof(r->in_bytes)); break;
	case OUT_BYTES:      set(request, ASN_COUNTER64, &r->out_bytes, sizeof(r->out_bytes)); break;
	case RATE_CPS:       set(request, ASN_GAUGE, &r->cps, sizeof(r->cps)); break;
	case RATE_IN_PPS:    set(request, ASN_GAUGE, &r->in_pps, sizeof(r->in_pps)); break;
	case RATE_OUT_PPS:   set(request, ASN_GAUGE, &r->out_pps, sizeof(r->out_pps)); break;
	case RATE_IN_BPS:    set(request, ASN_GAUGE, &r->in_bps, sizeof(r->in_bps)); break;
	case RATE_OUT_BPS:   set(request, ASN_GAUGE, &r->out_bps, sizeof(r->out_bps)); break;
	default:
		netsnmp_set_request_error(NULL, request, SNMP_NOSUCHOBJECT);
	}
}

static int handler(netsnmp_mib_handler *h, netsnmp_handler_registration *reg, netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	(void)h;
	(void)reg;
	if (info->mode == MODE_GET)
		for (; requests; requests = requests->next)
			answer(requests);
	return SNMP_ERR_NOERROR;
}

static void serve(long rows)
{
	netsnmp_handler_registration *reg = netsnmp_create_handler_registration(
		"lvsRealTable", handler, real_table, OID_LENGTH(real_table), HANDLER_CAN_RONLY);
	netsnmp_tdata *table = netsnmp_tdata_create_table("lvsRealTable", 0);
	netsnmp_table_registration_info *info = SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);

	netsnmp_table_helper_add_indexes(info, ASN_INTEGER, ASN_INTEGER, 0);
	info->min_column = SERVICE_NUMBER;
	info->max_column = RATE_OUT_BPS;
	for (long i = 0; i < rows; i++) {
		struct real *r = real_server(i);
		netsnmp_tdata_row *row = netsnmp_tdata_create_row();

		row->data = r;
		netsnmp_tdata_row_add_index(row, ASN_INTEGER, &r->service, sizeof(r->service));
		netsnmp_tdata_row_add_index(row, ASN_INTEGER, &r->server, sizeof(r->server));
		netsnmp_tdata_add_row(table, row);
	}
	netsnmp_tdata_register(reg, table, info);
}
