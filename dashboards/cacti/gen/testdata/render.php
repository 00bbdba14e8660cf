<?php
// render.php SITE DIRECTORY SECONDS - render every graph of the Cacti below SITE
// into DIRECTORY as ID.png, showing the last SECONDS.
require($argv[1] . '/include/cli_check.php');
require_once($config['base_path'] . '/lib/rrd.php');
require_once($config['base_path'] . '/lib/rrdcheck.php');

$_SESSION['sess_user_id'] = 1;
$now = time();

foreach (db_fetch_assoc('SELECT id FROM graph_local ORDER BY id') as $graph) {
	$meta    = array();
	$options = array('graph_start' => $now - $argv[3], 'graph_end' => $now, 'image_format' => 'png', 'disable_cache' => true);
	$png     = rrdtool_function_graph($graph['id'], 0, $options, '', $meta, 1);

	file_put_contents($argv[2] . '/' . $graph['id'] . '.png', $png);
}
