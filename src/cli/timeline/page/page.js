"use strict";
(() => {
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const sheet = document.querySelector(".sheet");
  const scroll = document.querySelector(".scroll");
  const tip = document.getElementById("tip");
  document.documentElement.classList.add("scripted");

  // What a bar stands for is its title, until somebody looks: then it is shown here and not by the browser as well.
  const told = (bar) => {
    if (bar.title) {
      bar.dataset.tip = bar.title;
      bar.removeAttribute("title");
    }
    return bar.dataset.tip || "";
  };
  let shown = null;
  const hide = () => {
    if (shown) shown.classList.remove("shown");
    shown = null;
    tip.hidden = true;
  };
  const show = (bar) => {
    if (bar === shown) return;
    hide();
    const lines = told(bar).split("\n");
    const row = bar.closest(".row");
    const heading = document.createElement("strong");
    const name = document.createElement("bdi");
    name.textContent = row ? row.querySelector("bdi").textContent : lines.shift();
    heading.append(name);
    const parts = lines.map((line, place) => {
      const part = document.createElement("span");
      part.dir = "auto";
      part.textContent = line;
      if (place === 0 && row) part.className = "what";
      return part;
    });
    tip.replaceChildren(heading, ...parts);
    tip.hidden = false;
    shown = bar;
    bar.classList.add("shown");
    place();
  };
  const place = () => {
    if (!shown) return;
    const at = shown.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const visible = scroll.getBoundingClientRect();
    const middle = (Math.max(at.left, visible.left) + Math.min(at.right, visible.right)) / 2;
    const left = Math.min(Math.max(8, middle - size.width / 2), innerWidth - size.width - 8);
    const above = at.top - size.height - 10;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above > 8 ? above : at.bottom + 10) + "px";
  };
  const bars = ".track i, .under .sleep";
  sheet.addEventListener("pointerover", (event) => {
    const bar = event.target.closest(bars);
    if (bar) show(bar);
    else hide();
  });
  sheet.addEventListener("pointerleave", hide);
  for (const moved of [window, scroll]) moved.addEventListener("scroll", place, { passive: true });

  // Each row is one stop of the keyboard; the arrows go through its bars, and from row to row.
  sheet.addEventListener("focusout", hide);
  sheet.addEventListener("keydown", (event) => {
    const track = event.target.closest(".track");
    if (!track || event.ctrlKey || event.metaKey || event.altKey) return;
    const own = all("i", track);
    const place = shown ? own.indexOf(shown) : -1;
    const tracks = all(".row:not([hidden]) .track", sheet);
    const next = { ArrowRight: place + 1, ArrowLeft: place < 0 ? own.length - 1 : place - 1, Home: 0, End: own.length - 1 }[event.key];
    const row = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      const bar = own[Math.min(Math.max(0, next), own.length - 1)];
      if (bar) {
        bar.scrollIntoView({ block: "nearest", inline: "nearest" });
        show(bar);
      }
    } else if (row) {
      const other = tracks[tracks.indexOf(track) + row];
      if (other) {
        event.preventDefault();
        other.focus();
      }
    }
  });
  addEventListener("keydown", (event) => event.key === "Escape" && hide());

  const buttons = all("button[data-zoom]");
  const zoom = (factor, around) => {
    const label = parseFloat(getComputedStyle(sheet).getPropertyValue("--name")) || 0;
    const width = () => sheet.scrollWidth - label;
    const seen = scroll.clientWidth - label;
    const place = around === undefined ? (scroll.scrollLeft + seen / 2) / width() : around;
    sheet.dataset.zoom = factor;
    sheet.style.setProperty("--zoom", factor);
    for (const grid of all(".grid", sheet)) grid.style.display = grid.dataset.zoom === factor ? "block" : "none";
    scroll.scrollLeft = place * width() - seen / 2;
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.zoom === factor)));
    hide();
  };
  buttons.forEach((button) =>
    button.addEventListener("click", () => {
      const first = sheet.dataset.zoom === undefined || sheet.dataset.zoom === "1";
      zoom(button.dataset.zoom, first ? Math.min(1, Math.max(0, parseFloat(sheet.dataset.now) / 100)) : undefined);
    })
  );

  const filter = document.getElementById("filter");
  const none = document.getElementById("none");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (text) => words.every((word) => text.toLowerCase().includes(word));
    let left = 0;
    for (const row of all(".row", sheet)) {
      row.dataset.text = row.dataset.text || row.textContent + " " + row.querySelector(".track").getAttribute("aria-label");
      row.hidden = !fits(row.dataset.text);
      left += row.hidden ? 0 : 1;
    }
    none.hidden = left > 0 || words.length === 0;
    for (const line of all(".table tbody tr")) line.hidden = !fits(line.textContent);
    hide();
  };
  filter.addEventListener("input", apply);
  // What is on paper has no folds.
  addEventListener("beforeprint", hide);
})();
