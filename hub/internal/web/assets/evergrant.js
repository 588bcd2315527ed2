// What pages do beyond links and forms. Everything works without it except for
// copying, ticking times and proposed names. Elements are found at the moment of
// an event, so that parts that htmx swaps in need no set-up.
(() => {
  "use strict";
  const root = document.documentElement;
  const lang = root.lang || "en";
  // The path that the hub is served under: "" at the root of its host.
  const base = new URL(document.currentScript.src).pathname.replace(/\/assets\/[^/]*$/, "");
  const own = (address) => new URL(address, location).pathname.slice(base.length);

  // --- Times -------------------------------------------------------------
  // The steps are those of i18n/times.go.
  const minute = 60, hour = 3600, day = 86400;
  const steps = [
    [minute, 1, "second", "short"], [hour, minute, "minute", "short"], [2 * day, hour, "hour", "short"],
    [60 * day, day, "day", "long"], [730 * day, (365 / 12) * day, "month", "long"], [Infinity, 365 * day, "year", "long"],
  ];
  const formats = {};
  const format = (style) => (formats[style] ||= new Intl.RelativeTimeFormat(lang, { numeric: "always", style }));
  const relative = (seconds, now) => {
    const far = Math.abs(seconds);
    if (far < 5) return now;
    const [, size, unit, style] = steps.find(([below]) => far < below);
    const n = Math.floor(far / size) * Math.sign(seconds);
    return format(style).format(n, unit).replace(/\./g, "");
  };
  const absolute = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "long" });
  const tick = () => {
    for (const el of document.querySelectorAll("time[data-relative]")) {
      const at = new Date(el.dateTime);
      const said = relative((at - Date.now()) / 1000, root.dataset.now || "now");
      if (el.textContent !== said) el.textContent = said;
      if (!el.dataset.titled) {
        el.dataset.titled = "1";
        el.title = absolute.format(at);
      }
    }
  };

  // The server says absolute times in the zone of this cookie.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes("evergrant_zone=" + encodeURIComponent(zone))) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `evergrant_zone=${encodeURIComponent(zone)}; path=${base || "/"}; max-age=31536000; samesite=lax${secure}`;
  }

  // --- Saying something to screen readers ----------------------------------
  const announce = (text) => {
    const live = document.getElementById("announcer");
    if (live) live.textContent = text;
  };

  // --- Finding choices -----------------------------------------------------
  // A list that is too long to be sent is looked for at the server while something is
  // typed: [{value, title}]. A datalist offers them; boxes are added below those chosen.
  const finding = new Map();
  const find = (field) => {
    clearTimeout(finding.get(field));
    finding.set(field, setTimeout(async () => {
      const asked = field.value;
      const reply = await fetch(field.dataset.finds + "?q=" + encodeURIComponent(asked), { headers: { "HX-Request": "true" } }).catch(() => null);
      if (!reply?.ok || field.value !== asked) return;
      const found = await reply.json();
      if (field.dataset.boxes) offer(field, found);
      else field.list?.replaceChildren(...found.map((x) => new Option(x.title, x.value)));
      field.dataset.found = String(found.length);
    }, 150));
  };
  const offer = (field, found) => {
    const boxes = document.getElementById(field.dataset.boxes);
    for (const label of boxes.querySelectorAll("label")) if (!label.querySelector("input").checked) label.remove();
    const there = new Set([...boxes.querySelectorAll("input")].map((x) => x.value));
    for (const x of found) {
      if (there.has(x.value)) continue;
      const label = boxes.nextElementSibling.content.firstElementChild.cloneNode(true);
      label.querySelector("input").value = x.value;
      label.querySelector(".form-check-label").append(x.title);
      boxes.append(label);
    }
    announce(String(found.length));
  };
  document.addEventListener("input", (e) => { if (e.target.matches?.("[data-finds]")) find(e.target); });
  document.addEventListener("focusin", (e) => { if (e.target.matches?.("[data-finds]:not([data-found])")) find(e.target); });

  // --- Copying -------------------------------------------------------------
  const copy = async (button) => {
    const source = button.dataset.copyFrom ? document.getElementById(button.dataset.copyFrom) : null;
    const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Plain http has no clipboard API.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      (button.closest("dialog") || document.body).append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.classList.add("is-copied");
    announce(button.dataset.copied || "");
    setTimeout(() => button.classList.remove("is-copied"), 1600);
  };

  // --- Names made of titles ------------------------------------------------
  // The letters are those of catalogue.Slug.
  const letters = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя";
  const latin = "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh sch  y  e yu ya".split(" ");
  const slug = (title) =>
    [...title.toLowerCase()].map((c) => {
      const i = letters.indexOf(c);
      return i >= 0 ? latin[i] : /[a-z0-9]/.test(c) ? c : "-";
    }).join("").replace(/-+/g, "-").replace(/^-|-$/g, "").slice(0, 60).replace(/-$/, "");
  const showName = (name) => {
    for (const el of document.querySelectorAll("[data-follows-name]")) {
      const shown = (el.dataset.before || "") + (name || "…") + (el.dataset.after || "");
      if ("value" in el && el.tagName === "INPUT") el.value = shown;
      else el.textContent = shown;
    }
  };
  document.addEventListener("input", (e) => {
    const el = e.target;
    if (el.dataset.names) {
      const name = document.getElementById(el.dataset.names);
      if (name && !name.dataset.touched) {
        name.value = slug(el.value) || name.defaultValue;
        showName(name.value);
      }
    }
    if (el.dataset.name !== undefined) {
      el.dataset.touched = "1";
      showName(el.value.trim());
    }
    if (el.dataset.filter) filterCards(el);
    if (el.classList.contains("is-invalid")) { // it is being mended
      el.classList.remove("is-invalid");
      el.removeAttribute("aria-invalid");
      document.getElementById(el.id + "-problem")?.remove();
    }
  });

  // --- Filtering what is on the page already --------------------------------
  const filterCards = (input) => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const card of document.querySelectorAll(input.dataset.filter)) {
      card.hidden = !card.dataset.search.toLowerCase().includes(wanted);
      shown += card.hidden ? 0 : 1;
    }
    const none = document.getElementById("filter-none");
    if (none) none.hidden = shown > 0;
  };

  // --- Fields that depend on a choice --------------------------------------
  const showOnly = () => {
    for (const part of document.querySelectorAll("[data-only-if]")) {
      const by = document.querySelector(`select[name="${CSS.escape(part.dataset.onlyIf)}"]`);
      if (by) part.hidden = !part.dataset.onlyValues.split(" ").includes(by.value);
    }
  };
  document.addEventListener("change", (e) => {
    const el = e.target;
    showOnly();
    if (el.type !== "radio") return;
    for (const part of document.querySelectorAll(`[data-shown-by="${CSS.escape(el.name)}"]`)) {
      part.hidden = part.dataset.shownFor !== el.value;
    }
  });

  // --- Picking rows of a list ------------------------------------------------
  const countPicked = (form) => {
    const boxes = [...form.querySelectorAll('input[name="connections"]')];
    const picked = boxes.filter((box) => box.checked).length;
    const all = form.querySelector("[data-picks-all]")?.checked;
    const page = form.querySelector("[data-picks-page]");
    if (page) {
      page.checked = picked === boxes.length && picked > 0;
      page.indeterminate = picked > 0 && picked < boxes.length;
    }
    const said = form.querySelector("[data-picked]");
    if (said) said.textContent = picked && !all ? said.dataset.picked + picked : "";
  };
  const showByChoice = (form) => {
    for (const part of form.querySelectorAll("[data-shown-with]")) {
      part.hidden = !part.dataset.shownOn.split(" ").includes(form.elements[part.dataset.shownWith].value);
    }
  };
  document.addEventListener("change", (e) => {
    const form = e.target.closest("form[data-picking]");
    if (!form) return;
    if (e.target.matches("[data-picks-page]")) {
      for (const box of form.querySelectorAll('input[name="connections"]')) box.checked = e.target.checked;
    }
    countPicked(form);
    showByChoice(form);
  });

  // Enter in the search of a picker searches; elsewhere in its form it does what the form is for.
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.isComposing || e.target.tagName !== "INPUT") return;
    const form = e.target.form;
    if (!form?.querySelector("[data-picker-find]")) return;
    e.preventDefault();
    if (e.target.dataset.pickerFind === undefined) form.querySelector("[data-main]")?.click();
  });

  // --- Clicks ----------------------------------------------------------------
  document.addEventListener("click", (e) => {
    const copier = e.target.closest("[data-copy], [data-copy-from]");
    if (copier) return void copy(copier);

    const opener = e.target.closest("[data-opens]");
    if (opener) return void document.getElementById(opener.dataset.opens)?.showModal();

    const closer = e.target.closest("[data-closes]");
    if (closer) return void closer.closest("dialog")?.close();

    const revealer = e.target.closest("[data-reveals]");
    if (revealer) {
      const field = document.getElementById(revealer.dataset.reveals);
      const hidden = field.type === "password";
      field.type = hidden ? "text" : "password";
      revealer.setAttribute("aria-pressed", String(hidden));
      return;
    }
    const row = e.target.closest("tr[data-href]");
    if (row && !e.target.closest("a, button, input, label") && !String(getSelection())) {
      location.href = row.dataset.href;
      return;
    }
    // A click on the backdrop closes a dialog; one outside closes menus.
    if (e.target.tagName === "DIALOG") e.target.close();
    for (const menu of document.querySelectorAll("details.eg-menu[open]")) {
      if (!menu.contains(e.target)) menu.open = false;
    }
  });

  // --- Theme -----------------------------------------------------------------
  document.addEventListener("submit", (e) => {
    const choice = e.submitter?.name === "theme" ? e.submitter.value : "";
    if (choice) {
      e.preventDefault();
      root.dataset.theme = choice;
      window.evergrantTheme();
      for (const b of e.target.querySelectorAll("button[name=theme]")) b.setAttribute("aria-pressed", String(b.value === choice));
      fetch(e.target.action, { method: "POST", body: new URLSearchParams({ theme: choice }), redirect: "manual" }).catch(() => {});
      return;
    }
    // A second click must not send a form twice.
    const button = e.submitter;
    if (button && !e.target.hasAttribute("hx-post") && !e.target.hasAttribute("hx-get") && !e.target.hasAttribute("data-repeatable")) {
      setTimeout(() => { button.disabled = true; button.classList.add("is-busy"); }, 0);
    }
  });
  // A page that comes back from the browser's memory must not stay disabled.
  addEventListener("pageshow", () => {
    for (const b of document.querySelectorAll("button.is-busy")) { b.disabled = false; b.classList.remove("is-busy"); }
  });

  // --- What was entered outlives a session -------------------------------------
  // A form that is sent after the session has ended comes back after the login, with
  // what was entered: it waits in the tab's own storage, secrets excepted.
  const kept = "evergrant-form";
  const isSecret = (el) => el.type === "password" || el.type === "file" || "secret" in el.dataset;
  const keep = (form) => {
    if (!form || form.method !== "post" || /^\/(login|logout|preferences|setup|invite)/.test(own(form.action))) return;
    const fields = [], secrets = [];
    for (const el of form.elements) {
      if (!el.name || el.type === "hidden" || el.disabled) continue;
      if (isSecret(el)) {
        if (el.value) secrets.push(el.name);
      } else if (!["checkbox", "radio"].includes(el.type) || el.checked) fields.push([el.name, el.value]);
    }
    try {
      sessionStorage.setItem(kept, JSON.stringify({ page: root.dataset.path, form: form.getAttribute("action") || "", fields, secrets }));
    } catch { /* it is too large, or the browser keeps nothing */ }
  };
  document.addEventListener("submit", (e) => keep(e.target));
  document.addEventListener("htmx:before:request", (e) => {
    if (/post/i.test(e.detail.ctx.request.method)) keep(e.target.closest("form"));
  });
  const note = (text, kind) => {
    const p = document.createElement("p");
    p.className = kind;
    p.textContent = text;
    return p;
  };
  const fill = (form, { fields, secrets }) => {
    const values = new Map();
    for (const [name, value] of fields) values.set(name, [...(values.get(name) || []), value]);
    for (const el of form.elements) {
      if (!el.name || el.type === "hidden" || el.tagName === "BUTTON") continue;
      const those = values.get(el.name) || [];
      if (isSecret(el)) {
        if (secrets.includes(el.name)) el.closest(".eg-field")?.append(note(root.dataset.again, "eg-error"));
      } else if (["checkbox", "radio"].includes(el.type)) {
        el.checked = those.includes(el.value);
        if (el.checked && el.type === "radio") el.dispatchEvent(new Event("change", { bubbles: true }));
      } else if (those.length > 0) {
        el.value = those.shift();
        if (el.dataset.name !== undefined) {
          el.dataset.touched = "1";
          showName(el.value.trim());
        }
        for (let fold = el.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open ||= el.value !== el.defaultValue;
      }
    }
    const told = note(root.dataset.restored, "eg-restored");
    told.setAttribute("role", "status");
    form.prepend(told);
  };
  // A table that was refused holds tokens, so the page comes without it: it is filled in
  // here, with the lines that the page names, or with all.
  const refill = (form, { fields }) => {
    for (const [name, value] of fields) {
      const el = form.elements[name];
      if (el?.tagName !== "TEXTAREA") continue;
      const wanted = form.dataset.refill.split(",");
      el.value = wanted[0] === "all" ? value : value.split("\n").filter((_, i) => wanted.includes(String(i + 1))).join("\n");
    }
  };
  const restore = () => {
    let draft;
    try { draft = JSON.parse(sessionStorage.getItem(kept)); } catch { return; }
    if (!draft) return;
    if (own(location.href).startsWith("/login")) {
      if (document.querySelector("[data-ended]")) {
        draft.ended = true;
        for (const to of document.querySelectorAll('input[name="return_to"]')) {
          if (!["/login", "/login/confirm"].includes(own(to.form.action))) continue;
          if (draft.page) to.value = draft.page;
          else draft.page = to.value; // it was sent from a page that cannot be opened
        }
        sessionStorage.setItem(kept, JSON.stringify(draft));
      }
      return;
    }
    if (document.querySelector("[data-keeps]")) return; // the rows that are left are filled in later
    sessionStorage.removeItem(kept);
    const form = [...document.forms].find((f) => f.method === "post" && (f.getAttribute("action") || "") === draft.form);
    if (form?.dataset.refill) refill(form, draft);
    else if (form && draft.ended && draft.page === root.dataset.path) fill(form, draft);
    showOnly();
  };

  // --- Keys ------------------------------------------------------------------
  const destinations = { o: "overview", c: "connections", s: "services", x: "escalations", k: "keys", p: "plugins", e: "people", a: "audit", t: "settings" };
  let going = 0;
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") {
      for (const menu of document.querySelectorAll("details.eg-menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    if (e.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    if (e.key === "/" || e.key === ".") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      e.preventDefault();
      if (search.tagName === "A") location.href = search.href;
      else { search.focus(); search.select(); }
    } else if (e.key === "?") {
      document.getElementById("keys")?.showModal();
    } else if (e.code === "KeyG") { // the place of a key counts, so that it works in a Russian layout, too
      going = Date.now();
    } else if (e.code === "KeyN" && Date.now() - going >= 1500) {
      document.querySelector("[data-new]")?.click();
    } else if (Date.now() - going < 1500) {
      const place = destinations[e.code.replace("Key", "").toLowerCase()];
      const link = place && document.querySelector(`[data-go="${place}"]`);
      going = 0;
      if (link) location.href = link.href;
    }
  });

  // --- Live parts -------------------------------------------------------------
  // The server says that something has changed; the part is then taken from the page
  // as it is now. While somebody works in it, it stays as it is.
  for (const part of document.querySelectorAll("[data-live]")) {
    const refresh = async () => {
      const shown = document.getElementById(part.id);
      if (!shown || document.hidden || document.querySelector("dialog[open]") || shown.contains(document.activeElement)) return;
      try {
        const reply = await fetch(location.href, { headers: { "X-Live": "1" } });
        if (!reply.ok) return;
        const next = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById(part.id);
        if (next) shown.replaceChildren(...next.childNodes);
        tick();
      } catch { /* the hub is away; the stream comes back by itself */ }
    };
    new EventSource(part.dataset.live).addEventListener("changed", refresh);
    document.addEventListener("visibilitychange", refresh);
  }

  // --- Secrets do not stay on the screen ---------------------------------------
  const hideSecrets = () => {
    for (const el of document.querySelectorAll("[data-hides-at]")) {
      if (Date.now() > Number(el.dataset.hidesAt)) el.remove();
    }
    for (const el of document.querySelectorAll("[data-hides-after]")) {
      if (!el.dataset.hidesAt) el.dataset.hidesAt = String(Date.now() + Number(el.dataset.hidesAfter) * 1000);
    }
  };

  const beat = () => { tick(); hideSecrets(); };
  setInterval(beat, 1000);
  document.addEventListener("DOMContentLoaded", () => {
    beat();
    for (const form of document.querySelectorAll("form[data-picking]")) { countPicked(form); showByChoice(form); }
    restore();
    // On a phone the navigation is a row that scrolls.
    document.querySelector(".eg-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    document.querySelector("[data-focus]")?.focus();
    document.querySelector(".is-invalid")?.focus();
  });
})();
