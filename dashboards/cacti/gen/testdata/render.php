<?php
// render.php SITE DIRECTORY SECONDS - render every graph of the Cacti below SITE
// into DIRECTORY as ID.png, showing the last SECONDS. It is done as Cacti's own
// export does it: one rrdtool draws them all.
require($argv[1] . '/include/cli_check.php');
require_once($config['base_path'] . '/lib/rrd.php');

$now     = time();
$rrdtool = rrd_init();

foreach (db_fetch_assoc('SELECT id FROM graph_local ORDER BY id') as $graph) {
	$meta    = array();
	$options = array('graph_start' => $now - $argv[3], 'graph_end' => $now, 'image_format' => 'png', 'disable_cache' => true,
		'export' => true, 'export_filename' => $argv[2] . '/' . $graph['id'] . '.png');

	rrdtool_function_graph($graph['id'], 0, $options, $rrdtool, $meta, 1);
}

rrd_close($rrdtool);
