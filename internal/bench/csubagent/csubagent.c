/*
 * csubagent [-x SOCKET] ROWS: the peer that our AgentX subagent is measured
 * against, a subagent of Net-SNMP's library.
 *
 * cc -O2 csubagent.c $(net-snmp-config --agent-libs)
 */
#include "realtable.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "x:")) != -1) {
		if (opt != 'x')
			return 2;
		netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, optarg);
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "usage: csubagent [-x SOCKET] ROWS\n");
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	snmp_disable_log();
	netsnmp_enable_subagent();
	init_agent("csubagent");
	serve(atol(argv[optind]));
	init_snmp("csubagent");
	while (!stop)
		agent_check_and_process(1);
	snmp_shutdown("csubagent");
	return 0;
}
