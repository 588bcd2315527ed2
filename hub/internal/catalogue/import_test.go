package catalogue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
)

// An access token is kept only if it is known when it ends: a life in seconds counts
// from a moment that nobody knows.
func TestAGrantThatIsPasted(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	later, earlier := now.Add(time.Hour), now.Add(-time.Hour)
	for name, c := range map[string]struct {
		text            string
		access, refresh string
		life            time.Duration
		refused         bool
	}{
		"access codes":        {fmt.Sprintf(`{"serviceId":"bitrix24","clientId":"x","accessToken":"a","refreshToken":"r","expires":%d}`, later.UnixMilli()), "a", "r", time.Hour, false},
		"ended access codes":  {fmt.Sprintf(`{"accessToken":"a","refreshToken":"r","expires":%d}`, earlier.UnixMilli()), "", "r", 0, false},
		"a service's reply":   {`{"access_token":"a","refresh_token":"r","expires_in":3600,"member_id":"m"}`, "", "r", 0, false},
		"seconds":             {fmt.Sprintf(`{"access_token":"a","expires_at":%d}`, later.Unix()), "a", "", time.Hour, false},
		"a date":              {`{"access_token":"a","expires_at":"2030-01-02T13:00:00Z"}`, "a", "", time.Hour, false},
		"a refresh token":     {"  r.e-f_resh/=  ", "", "r.e-f_resh/=", 0, false},
		"no life, no refresh": {`{"access_token":"a","expires_in":3600}`, "", "", 0, true},
		"ended, no refresh":   {fmt.Sprintf(`{"access_token":"a","expires_at":%d}`, earlier.Unix()), "", "", 0, true},
		"no token":            {`{"expires_in":3600}`, "", "", 0, true},
		"half of it":          {`{"access_token":"se`, "", "", 0, true},
		"a sentence":          {"here is my token: secret", "", "", 0, true},
		"nothing":             {" ", "", "", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := catalogue.ParseGrant(c.text, now)
			if (err != nil) != c.refused {
				t.Fatalf("%v", err)
			}
			if err != nil {
				if strings.Contains(err.Error(), "secret") {
					t.Error("the error quotes what was pasted")
				}
				return
			}
			if got.AccessToken != c.access || got.RefreshToken != c.refresh || got.ExpiresIn == nil || *got.ExpiresIn != c.life {
				t.Errorf("%+v", got)
			}
			if name == "a service's reply" && (len(got.Extra) != 1 || got.Text("member_id") != "m") {
				t.Errorf("the other fields: %v", got.Extra)
			}
		})
	}
}

func TestATableOfGrants(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	rows, err := catalogue.ParseImport("\ufeffService;Title;refresh_token;access_token;expires_at;tags\n"+
		"crm;Продажи;r1;;;moscow, sales\n"+ // 2: good
		"crm;Склад;;a1;2030-01-02T13:00:00Z;\n"+ // 3: good
		";Без сервиса;r;;;\n"+ // 4
		"crm;Без токена;;;;\n"+ // 5
		"crm;Когда;r;a;tomorrow;\n"+ // 6
		"crm;Поздно;;a;2029-01-01T00:00:00Z;\n"+ // 7
		"crm;Продажи;r2;;;\n"+ // 8: the name of line 2
		"crm;\"Кавычка;r;;;\n", now)
	if err != nil || len(rows) != 8 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		if row.Line != i+2 || row.Bad() != (i >= 2) {
			t.Errorf("row %d: line %d, problem %q", i, row.Line, row.Problem.EN)
		}
	}
	if r := rows[0]; r.Name != "prodazhi" || r.Grant.RefreshToken != "r1" || *r.Grant.ExpiresIn != 0 || len(r.Tags) != 2 {
		t.Errorf("the first: %+v", r.Import)
	}
	for name, table := range map[string]string{
		"empty": "", "no service": "title,refresh_token\nx,r\n", "unknown column": "service,password\ncrm,x\n",
		"too many": "service,title,refresh_token\n" + strings.Repeat("crm,x,r\n", catalogue.MostImported+1),
	} {
		if _, err := catalogue.ParseImport(table, now); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// Logins, keys and service accounts have columns of their own and need no token.
func TestATableOfLoginsAndKeys(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	rows, err := catalogue.ParseImport("service,name,grant,field.login,field.password,option.region,ends_at,refresh_token\n"+
		"kassa,one,login,ann,secret,east,,\n"+ // 2: good
		"drive,two,assertion,,,,,\n"+ // 3: good
		"shop,three,static,,secret,,2030-02-02T00:00:00Z,\n"+ // 4: good
		"crm,four,,,,,,\n"+ // 5: no token
		"crm,five,magic,,,,,r\n"+ // 6: no such grant
		"shop,six,static,,secret,,soon,\n", now) // 7: no time
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		if row.Bad() != (i >= 3) || strings.Contains(row.Problem.EN, "secret") {
			t.Errorf("line %d: problem %q", row.Line, row.Problem.EN)
		}
	}
	if r := rows[0]; r.By != "login" || r.Fields["login"] != "ann" || r.Fields["password"] != "secret" || r.Options["region"] != "east" || len(r.Options) != 1 {
		t.Errorf("the first: %+v", r.Import)
	}
	if r := rows[2]; !r.Ends.Equal(time.Date(2030, 2, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the key ends %s", r.Ends)
	}
	for _, column := range []string{"field.", "option.", "password"} {
		if _, err := catalogue.ParseImport("service,"+column+"\ncrm,x\n", now); err == nil || !strings.Contains(err.Error(), "field.…") {
			t.Errorf("%s was taken, or the known ones are not listed: %v", column, err)
		}
	}
}
