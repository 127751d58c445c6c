// Beside each number of the trial's supposition a slider that moves it, for the mouse and the
// finger. The number stays the field: it is what is sent, and what keyboard and reader use.
for (const number of document.querySelectorAll("input[data-slider]")) {
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", className: "slider", tabIndex: -1 });
  slider.min = number.min;
  slider.max = number.max;
  slider.value = number.value;
  slider.setAttribute("aria-hidden", "true");
  slider.addEventListener("input", () => {
    number.value = slider.value;
  });
  number.addEventListener("input", () => {
    slider.value = number.value;
  });
  number.after(slider);
}
