// Which engine `memgen backend install` sets up and `startBackend` accepts.

/** Version of libtensorflow. */
export const tensorflowVersion = '2.20.0';

/** The same with a number of ours, for changes of what is built around it: engines of other numbers stay unused. */
export const engineVersion = `${tensorflowVersion}.1`;
