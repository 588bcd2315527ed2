package catalogue

import "testing"

func TestNamesProposedForTitles(t *testing.T) {
	for title, want := range map[string]string{
		"Битрикс24 — отдел продаж": "bitriks24-otdel-prodazh",
		"Sales (EU)": "sales-eu",
		"  ":         "",
		"Щука & Ёж":  "schuka-ezh",
		"日本":         "",
	} {
		if got := Slug(title); got != want {
			t.Errorf("%q becomes %q, want %q", title, got, want)
		}
	}
}

func TestNamesArePartOfAnAddress(t *testing.T) {
	for name, good := range map[string]bool{
		"sales": true, "sales-24": true, "a.b_c": true, "": false, "Sales": false, "-a": false, "a--b": false, "a/b": false, "имя": false,
	} {
		e := &InvalidError{}
		e.checkName(name)
		if (e.orNil() == nil) != good {
			t.Errorf("%q: %v", name, e.Problems)
		}
	}
}
