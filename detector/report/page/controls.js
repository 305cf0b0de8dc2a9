// Filters, order, links to matches. Without this file the page is complete; only these are missing.
"use strict";
{
  const list = document.getElementById("list");
  const form = document.getElementById("filters");
  const rows = list ? Array.from(list.children) : [];

  // Search looks at names, paths and renames: what the row and the list of its renames say.
  let texts = null;
  const textOf = (row) => {
    const renames = row.querySelector(".renames");
    return `${row.querySelector("summary").textContent} ${renames ? renames.textContent : ""}`.toLowerCase();
  };

  const placeOf = (row, number) => row.querySelectorAll("summary .place")[number].textContent;
  const orders = {
    place: () => 0,
    bits: (a, b) => b.dataset.bits - a.dataset.bits,
    similarity: (a, b) => b.dataset.similarity - a.dataset.similarity,
    suspect: (a, b) => compareText(pathOf(a, 0), pathOf(b, 0)),
    target: (a, b) => compareText(pathOf(a, 1), pathOf(b, 1)),
  };
  const pathOf = (row, number) => row.querySelectorAll("summary .place > span")[number].textContent;
  const compareText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  const matchesChoice = (row, data) =>
    (!data.get("reference") || row.dataset.reference === data.get("reference")) &&
    (!data.get("type") || row.dataset.type === data.get("type")) &&
    (!data.get("basis") || row.dataset.basis === data.get("basis")) &&
    (!data.get("role") || row.dataset.role.split(" ").includes(data.get("role"))) &&
    (!data.get("declared") || row.dataset.declared === data.get("declared")) &&
    Number(row.dataset.similarity) >= Number(data.get("similarity") || 0) &&
    Number(row.dataset.bits) >= Number(data.get("bits") || 0);

  const filter = () => {
    const data = new FormData(form);
    const words = data.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) texts = new Map(rows.map((row) => [row, textOf(row)]));
    let shown = 0;
    for (const row of rows) {
      const isShown = matchesChoice(row, data) && words.every((word) => texts.get(row).includes(word));
      if (row.hidden === isShown) row.hidden = !isShown;
      shown += isShown;
    }
    const noun = rows.length === 1 ? "match" : "matches";
    form.querySelector("output").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${noun}`;
  };

  const order = () => list.append(...rows.slice().sort(orders[form.elements.order.value]));

  if (form) {
    form.hidden = false;
    form.reset(); // a reloaded page keeps what was chosen, but not what follows from it
    form.addEventListener("input", (event) => (event.target.name === "order" ? order() : filter()));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { filter(); order(); }));
  }

  // The browser opens what a link leads into by itself; what a filter hides must be shown first.
  const follow = () => {
    const body = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const row = body && body.closest(".match");
    if (!row) return;
    if (row.hidden) { form.reset(); row.hidden = false; }
    row.open = true;
    row.scrollIntoView();
    row.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#m-"]');
    if (link && link.getAttribute("href") === location.hash) follow(); // no change of the hash, no event
  });
  follow();
}
