package main

import (
	"strings"
	"testing"
)

const developed = `module github.com/evergrant/evergrant

go 1.26.0

require (
	github.com/evergrant/evergrant/plugins v0.0.0
	github.com/evergrant/evergrant/sdk v0.0.0
	golang.org/x/mod v0.42.0
)

replace (
	github.com/evergrant/evergrant/plugins => ./plugins
	github.com/evergrant/evergrant/sdk => ./sdk
)

exclude golang.org/x/exp v0.0.0-20261011100332-faecfb24eb49
`

func TestAReleasedModuleHasNothingThatGoInstallRefuses(t *testing.T) {
	got, err := releasedMod("go.mod", []byte(developed), "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	for _, unwanted := range []string{"replace", "exclude", "v0.0.0"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("it still has %s:\n%s", unwanted, text)
		}
	}
	for _, wanted := range []string{"evergrant/plugins v1.2.3\n", "evergrant/sdk v1.2.3\n", "golang.org/x/mod v0.42.0\n"} {
		if !strings.Contains(text, wanted) {
			t.Errorf("it lacks %q:\n%s", wanted, text)
		}
	}
	if again, err := releasedMod("go.mod", got, "v1.2.3"); err != nil || string(again) != text {
		t.Errorf("a second time it is another: %v\n%s", err, again)
	}
}

// A replaced module of others would be built here and be another one everywhere else.
func TestAReplacedModuleOfOthersIsRefused(t *testing.T) {
	if _, err := releasedMod("go.mod", []byte(developed+"\nreplace golang.org/x/mod => ../mod\n"), "v1.2.3"); err == nil {
		t.Error("it is released")
	}
}

func TestSumsOfReleasedModulesTakeThePlaceOfOlderOnes(t *testing.T) {
	old := "github.com/evergrant/evergrant/sdk v1.2.2 h1:old=\nzzz.example/a v1.0.0 h1:a=\naaa.example/b v1.0.0 h1:b=\n"
	want := "aaa.example/b v1.0.0 h1:b=\ngithub.com/evergrant/evergrant/sdk v1.2.3 h1:new=\nzzz.example/a v1.0.0 h1:a=\n"
	if got := string(withSums([]byte(old), []string{"github.com/evergrant/evergrant/sdk v1.2.3 h1:new="})); got != want {
		t.Errorf("%s", got)
	}
}
