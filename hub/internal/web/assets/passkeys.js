// Passkeys: asks the browser for one and sends its answer to the hub. A form with
// data-passkey is shown where the browser knows passkeys; its value is where the hub
// begins and finishes. With data-get it asks for a passkey that there is, else it
// makes one.
(() => {
  "use strict";
  const usable = window.isSecureContext && window.PublicKeyCredential && navigator.credentials?.create;

  // --- Bytes as the hub writes them: base64url without padding ---------------
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => {
    let s = "";
    for (const b of new Uint8Array(buffer)) s += String.fromCharCode(b);
    return btoa(s).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const described = (list) => (list || []).map((d) => ({ ...d, id: bytes(d.id) }));

  const forCreation = (o) => PublicKeyCredential.parseCreationOptionsFromJSON?.(o) ?? {
    ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: described(o.excludeCredentials),
  };
  const forRequest = (o) => PublicKeyCredential.parseRequestOptionsFromJSON?.(o) ?? {
    ...o, challenge: bytes(o.challenge), allowCredentials: described(o.allowCredentials),
  };
  const written = (credential) => {
    if (credential.toJSON) return credential.toJSON();
    const said = credential.response;
    const response = { clientDataJSON: text(said.clientDataJSON) };
    if (said.attestationObject) {
      response.attestationObject = text(said.attestationObject);
      response.transports = said.getTransports?.() ?? [];
    } else {
      response.authenticatorData = text(said.authenticatorData);
      response.signature = text(said.signature);
      if (said.userHandle) response.userHandle = text(said.userHandle);
    }
    return {
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      authenticatorAttachment: credential.authenticatorAttachment ?? undefined, clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  // --- The walk ----------------------------------------------------------------
  class Refusal extends Error {}
  const ask = async (address, body) => {
    const reply = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (reply.redirected) { // signed out meanwhile: the page says so
      location.reload();
      return new Promise(() => {});
    }
    const said = await reply.json();
    if (reply.status === 403 && said.to) { // the hub wants to know first that it is them
      location.assign(said.to);
      return new Promise(() => {});
    }
    if (!reply.ok) throw new Refusal(said.problem);
    return said;
  };
  const walk = async (form) => {
    const where = form.dataset.passkey;
    const { publicKey } = await ask(where + "begin", {});
    const credential = form.hasAttribute("data-get")
      ? await navigator.credentials.get({ publicKey: forRequest(publicKey) })
      : await navigator.credentials.create({ publicKey: forCreation(publicKey) });
    const { to } = await ask(where + "finish", {
      answer: written(credential), title: form.elements.namedItem("title")?.value ?? "", return_to: form.dataset.return ?? "",
    });
    location.assign(to);
  };
  // What browsers refuse has a name, for example NotAllowedError.
  const sentence = (form, err) => (err instanceof Refusal && err.message) || form.dataset[(err?.name ?? "").replace(/^./, (c) => c.toLowerCase())] || form.dataset.failed;

  document.addEventListener("submit", async (e) => {
    const form = e.target;
    if (!form.dataset.passkey) return;
    e.preventDefault();
    const problem = form.querySelector("[data-passkey-problem]");
    const button = form.querySelector("button[type=submit]");
    problem.hidden = true;
    button.disabled = true;
    button.classList.add("is-busy");
    try {
      await walk(form);
    } catch (err) {
      problem.querySelector("p").textContent = sentence(form, err);
      problem.hidden = false;
      button.disabled = false;
      button.classList.remove("is-busy");
      button.focus();
    }
  });

  for (const form of document.querySelectorAll("[data-passkey]")) form.hidden = !usable;
  for (const note of document.querySelectorAll("[data-passkey-none]")) note.hidden = !!usable;
})();
