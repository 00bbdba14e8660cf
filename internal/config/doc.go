// Package config reads the agent's configuration file.
//
// The file is YAML and strict: an unknown or repeated key, a value of the wrong
// type or out of range, and services the kernel would refuse are errors, each
// with its line and column, the value and what is wanted; all of them are told
// at once. reference.yml beside this file documents every key.
//
// Anchors, aliases, tags and several documents in one file are refused: nothing
// here needs them, and a file reads the same to everyone without them.
package config
