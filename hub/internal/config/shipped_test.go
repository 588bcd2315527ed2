package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"

	"github.com/evergrant/evergrant/hub/internal/config"
)

const (
	minimal = "../../../configs/evergrant.yaml"
	full    = "../../../configs/evergrant.full.yaml"
)

func TestShippedConfigurationsAreTheDefaults(t *testing.T) {
	want := load(t, "", nil, nil)
	want.ReplicaName = ""
	for _, file := range []string{minimal, full} {
		got := load(t, file, nil, nil)
		got.ReplicaName = ""
		if len(got.TrustedProxies) == 0 {
			got.TrustedProxies = nil
		}
		if len(got.Egress.PrivateNetworks) == 0 {
			got.Egress.PrivateNetworks = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s", file, diff(got, want))
		}
	}
}

func TestFullConfigurationNamesEveryKeyAndVariable(t *testing.T) {
	data, err := os.ReadFile(full)
	if err != nil {
		t.Fatal(err)
	}
	named := koanf.New(".")
	if err := named.Load(rawbytes.Provider(data), yaml.Parser()); err != nil {
		t.Fatal(err)
	}
	for key, variable := range config.Keys() {
		if !named.Exists(key) && key != "key.value" {
			t.Errorf("%s is missing", key)
		}
		if !strings.Contains(string(data), "# "+variable+"\n") && key != "key.value" {
			t.Errorf("%s is not named", variable)
		}
	}
	if !strings.Contains(string(data), "variable EVERGRANT_KEY alone") {
		t.Error("EVERGRANT_KEY is not explained")
	}
}
