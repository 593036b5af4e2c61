// Learns rows of a CSV file of several kinds, told the kind and the age of each; samples each kind as new rows.
import { adam, arrayData, classes, condOT, createRuntime, createTrainer, fdm, mlp, numbers, readCsv } from "divflow";

// Stands for your file: penguins' flippers and weights, by species, growing with age. From a file: await readFile(path).
const kinds = { adelie: [190, 3700], chinstrap: [196, 3730], gentoo: [217, 5080] };
const noise = () => Math.random() + Math.random() + Math.random() - 1.5;
const row = (/** @type {[string, number[]]} */ [species, [flipper, weight]]) => {
  const age = 1 + 9 * Math.random();
  return [
    species,
    age.toFixed(1),
    (flipper + 2 * age + 10 * noise()).toFixed(1),
    (weight + 60 * age + 500 * noise()).toFixed(0),
  ];
};
const rows = Array.from({ length: 400 }, () => Object.entries(kinds).map(row)).flat();
const file = ["species,age,flipper_mm,weight_g", ...rows.map((fields) => fields.join(","))].join("\n");

const { values, count, dimension, columns, conditions } = readCsv(new TextEncoder().encode(file), "penguins.csv", {
  labels: ["species"],
  conditions: ["age"],
});
const runtime = await createRuntime(); // WebGPU on a real GPU, else WebAssembly
const trainer = await createTrainer(runtime, {
  network: mlp({ dimension, hidden: [64, 64], conditions: { species: classes(3), age: numbers() } }),
  path: condOT(),
  loss: fdm(),
  optimizer: adam({ learningRate: 2e-3 }),
  data: arrayData(values, [count, dimension], { standardize: true, columns, conditions }), // model and ages in your units
  batchSize: 256,
  validation: 0.1,
});
for await (const { step, validation } of trainer.run({ steps: 1500 })) {
  if (validation) console.log(`step ${step}: velocity loss of rows held out ${validation.velocityLoss.toFixed(3)}`);
}

for (const species of Object.keys(kinds)) {
  const { values } = await trainer.model.sample({ count: 500, conditions: { species, age: 5 } });
  const [flipper, weight] = [0, 1].map((column) => {
    let sum = 0;
    for (let i = column; i < values.length; i += 2) sum += values[i];
    return sum / 500;
  });
  console.log(`${species} of 5 years: flipper ${flipper.toFixed(0)} mm, weight ${weight.toFixed(0)} g`);
}
runtime.dispose();
