#!/bin/sh
# add_graphs.sh CLI DEVICE [director|lvs|all] - give every row of a device that
# Cacti knows as number DEVICE every graph of the pack which it has not got yet:
# those of LVS-DIRECTOR-MIB, of the LVS-MIB, or of both. CLI is the directory of
# Cacti's own programs. To be run as the user that polls.
set -eu
cli=${1:?usage: add_graphs.sh CLI DEVICE [director|lvs|all]}
device=${2:?usage: add_graphs.sh CLI DEVICE [director|lvs|all]}
of=${3:-director}
tab=$(printf '\t')

add() { php -q "$cli/add_graphs.php" "$@" </dev/null; }

templates=$(add --list-graph-templates)
add --list-snmp-queries | while IFS=$tab read -r query name; do
	case $of:$name in
	director:"LVS - Virtual services" | all:"LVS - Virtual services") field=lvsdServiceKey ;;
	director:"LVS - Real servers" | all:"LVS - Real servers") field=lvsdRealKey ;;
	director:"LVS - Hosts" | all:"LVS - Hosts") field=lvsdServerAddressText ;;
	lvs:"LVS - Virtual services (LVS-MIB)" | all:"LVS - Virtual services (LVS-MIB)") field=lvsServiceNumber ;;
	lvs:"LVS - Real servers (LVS-MIB)" | all:"LVS - Real servers (LVS-MIB)") field=lvsRealNumber ;;
	*) continue ;;
	esac
	add --list-query-types --snmp-query-id="$query" | while IFS=$tab read -r type graph; do
		template=$(printf '%s\n' "$templates" | awk -F "$tab" -v name="LVS - $graph" '$2 == name { print $1 }')
		[ -n "$template" ] || continue # the heading
		add --graph-type=ds --host-id="$device" --snmp-query-id="$query" --snmp-query-type-id="$type" \
			--graph-template-id="$template" --snmp-field=$field --snmp-value-regex='.*'
	done
done
