"use strict";
// Sorting and filtering of the index. Without it the page is complete, in the order of urgency.
const table = document.querySelector("table.index"), body = table.tBodies[0], rows = [...body.rows];
const box = document.querySelector(".tools"), find = box.querySelector("input"), count = box.querySelector("output");
const shown = new Set();

function show() {
  const words = find.value.trim().toLowerCase();
  let left = 0;
  for (const row of rows) {
    const fits = (!shown.size || shown.has(row.dataset.need)) && row.textContent.toLowerCase().includes(words);
    row.hidden = !fits;
    left += fits;
  }
  count.textContent = left === rows.length ? "" : `${left} of ${rows.length} shown`;
}

for (const button of box.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    shown[on ? "add" : "delete"](button.value);
    show();
  });
}
find.addEventListener("input", show);

[...table.tHead.rows[0].cells].forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
    const key = row => row.cells[column]?.dataset.value ?? "";
    const order = (a, b) => {
      if (key(a) === "" || key(b) === "") return (key(a) === "") - (key(b) === "");  // what has no value stays last
      const difference = key(a) - key(b);
      return way * (Number.isNaN(difference) ? key(a).localeCompare(key(b)) : difference);
    };
    body.append(...rows.toSorted(order));
  });
});
box.hidden = false;
