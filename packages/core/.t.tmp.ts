import * as tf from '@tensorflow/tfjs';
import { startBackend } from './src/backend/index.js';
await startBackend({backend:process.argv[2] as 'wasm'});
try { const g=tf.grad((w:tf.Tensor)=>tf.sum(tf.matMul(tf.ones([2,3,4]),w)))(tf.ones([4,5])); console.log('grad shape', g.shape, g.dataSync()[0]);} catch(e){console.log('grad broadcast:',(e as Error).message.slice(0,150));}
// LM-head style & lora wgrad timings
const best=(f:()=>void,ms=300)=>{ f();f(); let b=1e9; const t0=performance.now(); let i=0; while(performance.now()-t0<ms||i<3){const s=performance.now(); f(); b=Math.min(b,performance.now()-s);i++;} return b; };
for (const [T,i,o] of [[1024,576,16],[1024,16,576],[1024,576,1536],[512,576,576]] as const){ const x=tf.randomNormal([T,i]), dy=tf.randomNormal([T,o]), w=tf.randomNormal([i,o]);
 console.log(`[${T},${i}]x[${i},${o}] fwd ${best(()=>tf.matMul(x,w).dispose()).toFixed(2)} dX(dy wT) ${best(()=>tf.matMul(dy,w,false,true).dispose()).toFixed(2)} dW(xT dy) ${best(()=>tf.matMul(x,dy,true,false).dispose()).toFixed(2)} ms; ${(2*T*i*o/1e9).toFixed(2)} GFLOP`); }
