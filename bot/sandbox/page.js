// What the sandbox adds to simcord's page: other rooms, whose eyes after a reload, answers in sight, times that run.
(() => {
  const ANSWER_MS = 30_000;
  const ROOMS_MS = 1_500;
  const RELATIVE = /^(in \d|\d+ \w+ ago$|now$|yesterday$|tomorrow$|this |last |next )/;
  const UNITS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7], ["week", Infinity]];
  const words = new Intl.RelativeTimeFormat("en-US", { numeric: "auto" });
  const capability = location.hash.slice(1);
  const kept = (name) => sessionStorage.getItem(`darkroom-${name}`);
  const keep = (name, value) => sessionStorage.setItem(`darkroom-${name}`, value);

  // A page that opens asks for the person and the room of this tab. Each change opens a fresh page: pictures that one
  // page gives to two persons in turn may stay broken.
  const fetchAny = window.fetch;
  window.fetch = (address, options) => {
    const opens = address === "/api/pages" && options?.method === "POST";
    const body = JSON.stringify({ viewer_id: kept("viewer"), room_id: kept("room") });
    return fetchAny(address, opens ? { ...options, body } : options);
  };

  function look(name, value) {
    keep(name, value);
    location.reload();
  }

  function listenToPerson() {
    document.addEventListener("change", (event) => {
      if (event.target.id !== "viewer-picker") return;
      event.stopImmediatePropagation();
      look("viewer", event.target.value);
    }, true);
  }

  function addRooms() {
    const picker = document.createElement("select");
    picker.id = "room-picker";
    picker.setAttribute("aria-label", "Room");
    picker.addEventListener("change", () => look("room", picker.value));
    const label = document.createElement("label");
    label.className = "viewer-control";
    label.append("Room ", picker);
    document.querySelector(".viewer-control").after(label);
    setInterval(() => void showRooms(picker), ROOMS_MS);
  }

  // simcord gives its toolbar a fixed height on narrow screens, for one row less.
  function makeRoomForRooms() {
    const narrow = matchMedia("(max-width: 480px)");
    const shell = document.getElementById("preview-shell");
    const fit = () => shell.style.setProperty("--toolbar-height", narrow.matches ? "150px" : "");
    narrow.addEventListener("change", fit);
    fit();
  }

  async function showRooms(picker) {
    const viewer = document.getElementById("viewer-picker").value;
    if (!viewer || document.activeElement === picker) return;
    const headers = { "X-Simcord-Capability": capability };
    const answer = await fetchAny(`/rooms?viewer_id=${viewer}`, { headers, cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return;
    const rooms = await answer.json();
    const here = rooms.some((each) => each.id === kept("room")) ? kept("room") : rooms[0].id;
    picker.replaceChildren(...rooms.map((each) => {
      const seen = `seen-${viewer}-${each.id}`;
      if (each.id === here) keep(seen, each.last);
      const isNew = each.last !== "0" && kept(seen) !== each.last;
      return new Option(isNew ? `● ${each.name}` : each.name, each.id, false, each.id === here);
    }));
    const unread = picker.querySelector("option:not(:checked)") && [...picker.options].some((each) => each.text[0] === "●");
    picker.title = unread ? "There is something new in another room (●)" : "";
    picker.classList.toggle("has-news", Boolean(unread));
  }

  // Whoever has just pressed, chosen or sent something, or reads the newest message, wants to see what comes, unless they
  // look elsewhere. simcord draws a message, and its pictures, in steps, and may scroll back to where it was between them.
  function bringAnswersIntoSight() {
    const timeline = document.getElementById("channel-timeline");
    const messages = document.getElementById("channel-message-list");
    let actedAt = 0;
    let isFollowing = false;
    let isAtEnd = false;
    const acted = (event) => {
      const isHere = event.target instanceof Element && event.target.closest("#preview-app");
      if (isHere && (event.type !== "keydown" || event.key === "Enter")) actedAt = Date.now();
    };
    const looked = () => { isFollowing = false; };
    const showEnd = () => {
      if (isFollowing) timeline.scrollTop = timeline.scrollHeight;
      isAtEnd = timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight <= 2;
    };
    for (const kind of ["click", "submit", "keydown"]) document.addEventListener(kind, acted, true);
    for (const kind of ["wheel", "pointerdown", "keydown"]) document.addEventListener(kind, looked, { capture: true, passive: true });
    document.addEventListener("wheel", () => { actedAt = 0; }, { capture: true, passive: true });
    new MutationObserver((changes) => {
      const added = changes.flatMap((each) => [...each.addedNodes]);
      if (!added.includes(messages.lastElementChild) || (!isAtEnd && Date.now() - actedAt > ANSWER_MS)) return;
      isFollowing = true;
      showEnd();
    }).observe(messages, { childList: true });
    timeline.addEventListener("scroll", showEnd, { passive: true });
    new ResizeObserver(() => requestAnimationFrame(() => requestAnimationFrame(showEnd))).observe(messages);
  }

  function runTimes() {
    for (const time of document.querySelectorAll("time.discord-timestamp")) {
      if (!RELATIVE.test(time.textContent)) continue;
      let amount = (new Date(time.dateTime) - Date.now()) / 1000;
      for (const [unit, size] of UNITS) {
        if (Math.abs(amount) >= size) { amount /= size; continue; }
        const text = words.format(Math.round(amount), unit);
        if (time.textContent !== text) time.textContent = text;
        break;
      }
    }
  }

  listenToPerson();
  document.addEventListener("DOMContentLoaded", () => {
    addRooms();
    makeRoomForRooms();
    bringAnswersIntoSight();
    setInterval(runTimes, 1_000);
  });
})();
