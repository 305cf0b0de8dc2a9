// Filter and order of findings, and links to them. Without this file the page is complete; only these are missing.
"use strict";
{
  const form = document.getElementById("filters");
  const groups = Array.from(document.querySelectorAll(".group"));
  const rows = Array.from(document.querySelectorAll(".finding"));
  let texts = null;

  const nameOf = (row, number) => row.querySelectorAll("summary .place b")[number].textContent;
  const compareText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const orders = {
    place: () => 0,
    latest: (a, b) => compareText(b.dataset.seen, a.dataset.seen),
    suspect: (a, b) => compareText(nameOf(a, 0), nameOf(b, 0)),
    target: (a, b) => compareText(nameOf(a, 1), nameOf(b, 1)),
  };

  const filter = () => {
    const data = new FormData(form);
    const words = data.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    let shown = 0;
    for (const group of groups) group.hidden = Boolean(data.get("state")) && group.dataset.state !== data.get("state");
    for (const row of rows) {
      const isShown =
        Number(row.dataset.strength) >= Number(data.get("strength")) &&
        (!data.get("declared") || row.dataset.declared === data.get("declared")) &&
        words.every((word) => texts.get(row).includes(word));
      if (row.hidden === isShown) row.hidden = !isShown;
      shown += isShown && !row.closest(".group").hidden;
    }
    const noun = rows.length === 1 ? "finding" : "findings";
    form.querySelector("output").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${noun}`;
  };

  const order = () => {
    for (const group of groups) {
      const list = group.querySelector(".list");
      if (list) list.append(...rows.filter((row) => row.closest(".group") === group).sort(orders[form.elements.order.value]));
    }
  };

  if (form) {
    form.hidden = false;
    form.reset(); // a reloaded page keeps what was chosen, but not what follows from it
    filter();
    form.addEventListener("input", (event) => (event.target.name === "order" ? order() : filter()));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { filter(); order(); }));
  }

  // What a link leads to must be shown, whatever a filter hides, and opened.
  const follow = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row || !row.matches(".finding")) return;
    if (row.hidden || row.closest(".group").hidden) { form.reset(); row.hidden = false; row.closest(".group").hidden = false; }
    row.open = true;
    row.scrollIntoView();
    row.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#f-"]');
    if (link && link.getAttribute("href") === location.hash) follow(); // no change of the hash, no event
  });
  follow();
}
