package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/goccy/go-yaml"
)

// The examples of provisioning have the fields that Grafana reads, and no others.
// Source: grafana.com/docs, "Provision Grafana".
func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, Type, Access, URL string
			IsDefault               bool `yaml:"isDefault"`
			JSONData                struct {
				HTTPMethod   string `yaml:"httpMethod"`
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	read(t, "../provisioning/datasources/lvs.yml", &sources)
	if len(sources.Datasources) != 1 || sources.APIVersion != 1 {
		t.Fatalf("%+v", sources)
	}
	if d := sources.Datasources[0]; d.Type != prometheus.Type || d.URL == "" || d.Access != "proxy" {
		t.Errorf("data source %+v", d)
	}
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type, Folder    string
			AllowUIUpdates        bool `yaml:"allowUiUpdates"`
			UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
			Options               struct{ Path string }
		}
	}
	read(t, "../provisioning/dashboards/lvs.yml", &boards)
	if len(boards.Providers) != 1 || boards.APIVersion != 1 {
		t.Fatalf("%+v", boards)
	}
	if p := boards.Providers[0]; p.Type != "file" || p.Options.Path == "" || p.Name == "" {
		t.Errorf("provider %+v", p)
	}
}

// read decodes a file strictly.
func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
