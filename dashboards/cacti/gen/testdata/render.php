<?php
// render.php SITE DIRECTORY SECONDS PART PARTS - render every graph of the Cacti
// below SITE into DIRECTORY as ID.png, showing the last SECONDS; of all graphs,
// those whose ID leaves PART when divided by PARTS.
require($argv[1] . '/include/cli_check.php');
require_once($config['base_path'] . '/lib/rrd.php');

$now = time();

foreach (db_fetch_assoc('SELECT id FROM graph_local ORDER BY id') as $graph) {
	if ($graph['id'] % $argv[5] != $argv[4]) {
		continue;
	}

	$meta    = array();
	$options = array('graph_start' => $now - $argv[3], 'graph_end' => $now, 'image_format' => 'png', 'disable_cache' => true);
	$png     = rrdtool_function_graph($graph['id'], 0, $options, '', $meta, 1);

	file_put_contents($argv[2] . '/' . $graph['id'] . '.png', $png);
}
