// A stand-in for Facebook's JavaScript SDK, as far as signing up for WhatsApp goes: FB.init and FB.login, which opens a
// window of the simulator's and hears from it in the SDK's own words, strings that are no JSON.
(() => {
  const dialogOrigin = new URL(document.currentScript.src).origin;
  const waiting = new Map();
  let settings;

  window.addEventListener("message", ({ origin, data }) => {
    if (origin !== dialogOrigin || typeof data !== "string" || !data.startsWith("cb=")) return;
    const said = new URLSearchParams(data);
    const code = said.get("code");
    const token = said.get("access_token");
    if (code !== null) settle(said.get("cb"), { code });
    else settle(said.get("cb"), token === null ? null : { accessToken: token });
  });

  function settle(id, answer) {
    const found = waiting.get(id);
    if (found === undefined) return;
    waiting.delete(id);
    clearInterval(found.timer);
    const authResponse = answer === null ? null : { ...answer, userID: null, expiresIn: null };
    found.callback({ authResponse, status: answer === null ? "unknown" : "connected" });
  }

  function login(callback, options = {}) {
    // The real one writes this to the console; a test must see it.
    if (settings === undefined) throw new Error("FB.login() called before FB.init().");
    const isLocal = ["localhost", "127.0.0.1"].includes(location.hostname);
    if (location.protocol !== "https:" && !isLocal) {
      throw new Error("The method FB.login can no longer be called from http pages.");
    }
    const id = `f${crypto.randomUUID().replaceAll("-", "").slice(0, 15)}`;
    const { extras, ...rest } = options;
    const query = new URLSearchParams({
      ...rest,
      ...(extras === undefined ? {} : { extras: JSON.stringify(extras) }),
      client_id: settings.appId,
      display: "popup",
      sdk: "joey",
      origin: location.origin,
      channel: id,
    });
    // Browsers block windows outside a click; those that tests run in may be told not to.
    if (!navigator.userActivation.isActive) return;
    const url = `${dialogOrigin}/${settings.version}/dialog/oauth?${query}`;
    const popup = window.open(url, id, "width=600,height=700");
    // Null also where a page above cut it off (Cross-Origin-Opener-Policy): the SDK then stays silent.
    if (popup === null) return;
    const timer = setInterval(() => popup.closed && setTimeout(() => settle(id, null), 100), 100);
    waiting.set(id, { callback, timer });
  }

  window.FB = {
    init(options) {
      if (!options?.appId || !options.version) throw new Error("init not called with valid version");
      settings = options;
    },
    login,
  };
  window.fbAsyncInit?.();
})();
