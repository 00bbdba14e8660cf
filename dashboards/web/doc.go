// Package web is the status page: what a snapshot looks like to people, as HTML,
// as CSV and as events that tell an open page what changed. It holds the page's
// templates, style and scripts, and is made of pure functions: it reads no
// history, no clock and no network.
//
// A Table is the picture that ipvsadm -L gives, services with their real servers
// beneath, what went from the table among them, and the figures above it. Whatever
// changes is a [Cell]. The same cells make the page ([Table.View], [Site.Render]), the
// events ([Table.Since]) and what open pages ask for beside them ([Table.AppendRows]),
// so that a page brought up to date shows what a page loaded anew does.
//
// Nothing here needs a script to be read: search, filter and order are done by
// [Query] on the server, and the scripts ask it for the same pages.
package web
